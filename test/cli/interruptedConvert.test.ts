// Ctrl-C at moments of a conversion that only its parts know.
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import '@tensorflow/tfjs-backend-cpu';
import { setBackend } from '@tensorflow/tfjs-core';
import { beforeAll, beforeEach, expect, test, vi } from 'vitest';
import { exportOnnx, loadModel, mobilenetV1, saveModel } from '../../src/index';
import { run, temporaryFolder } from './harness';

vi.mock('../../src/index', async (importOriginal) => {
  const original = await importOriginal<typeof import('../../src/index')>();
  return { ...original, loadModel: vi.fn(original.loadModel), exportOnnx: vi.fn(original.exportOnnx) };
});

const folder = temporaryFolder();
const STOPPED = { code: 130, stdout: '', stderr: 'Stopped.\n' };
const source = join(folder, 'model');
const old = join(folder, 'old.onnx');

beforeAll(async () => {
  await setBackend('cpu');
  const model = mobilenetV1({ alpha: 0.1, classes: 10, inputShape: [32, 32, 3] });
  await saveModel(model, source);
  model.dispose();
  writeFileSync(old, 'old');
});
beforeEach(() => void vi.clearAllMocks());

/** What a part gives when Ctrl-C comes while it keeps the thread: the event loop tells of it once it has its turn. */
function interruptedIn<A extends unknown[], R>(part: (...args: A) => Promise<R>, controller: AbortController) {
  return async (...args: A): Promise<R> => {
    const result = await part(...args);
    setImmediate(() => controller.abort());
    return result;
  };
}

test.each(['old.onnx', 'new.keras', 'new folder'])('after loading, nothing is made of %s', async (target) => {
  const controller = new AbortController();
  const { loadModel: original } = await vi.importActual<typeof import('../../src/index')>('../../src/index');
  vi.mocked(loadModel).mockImplementationOnce(interruptedIn(original, controller));
  expect(await run(['convert', source, join(folder, target)], { signal: controller.signal })).toEqual(STOPPED);
  expect(loadModel).toHaveBeenCalledOnce();
  expect(exportOnnx).not.toHaveBeenCalled();
  expect(readFileSync(old, 'utf8')).toBe('old');
  expect(readdirSync(folder).sort()).toEqual(['model', 'old.onnx']);
});

test('in the making of a file, it is not written', async () => {
  const controller = new AbortController();
  const { exportOnnx: original } = await vi.importActual<typeof import('../../src/index')>('../../src/index');
  vi.mocked(exportOnnx).mockImplementationOnce(interruptedIn(original, controller));
  expect(await run(['convert', source, old], { signal: controller.signal })).toEqual(STOPPED);
  expect(exportOnnx).toHaveBeenCalledOnce();
  expect(readFileSync(old, 'utf8')).toBe('old');
});
