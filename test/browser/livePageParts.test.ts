import { afterEach, expect, test, vi } from 'vitest';
import { Curve } from '../../examples/browser/src/train/curve';
import { classFolders } from '../../examples/browser/src/ui/classFolders';
import { startWorker } from '../../examples/browser/src/workerClient';

afterEach(() => {
  vi.unstubAllGlobals();
});

const at = (epoch: number) => ({ epoch, loss: 1, accuracy: 0.5, imagesPerSecond: 100 });

test('a curve keeps at most a thousand points, evenly from its begin to its end', () => {
  const curve = new Curve();
  for (let step = 1; step <= 12_345; step++) curve.add(at(step / 100));
  const { points } = curve;
  expect(points.length).toBeGreaterThan(500);
  expect(points.length).toBeLessThanOrEqual(1000);
  expect(points[0]!.epoch).toBeLessThan(0.5);
  expect(points.at(-1)!.epoch).toBe(123.45);
  const gaps = points.slice(1).map(({ epoch }, i) => epoch - points[i]!.epoch);
  expect(Math.max(...gaps)).toBeLessThan(2.1 * Math.min(...gaps.slice(0, -1)));
});

test('steps that are taken again take the place of the earlier ones', () => {
  const curve = new Curve([at(0.5), at(1), at(1.5)]);
  curve.add({ ...at(1), loss: 2 });
  expect(curve.points.map(({ epoch, loss }) => [epoch, loss])).toEqual([
    [0.5, 1],
    [1, 2],
  ]);
});

test.each([
  ['a folder', 'pets/'],
  ['its sub-folders alone', ''],
])('the classes of %s are its sub-folders, with what lies deeper', (_, root) => {
  const paths = [
    'dogs/old/1.png',
    'dogs/2.JPG',
    'cats/1.webp',
    'cats/notes.txt',
    '.hidden/1.png',
    '__MACOSX/cats/1.png',
  ];
  const files = paths.map((path) => ({ path: root + path, file: new File([], path) }));
  const found = [...classFolders(files)].map(([name, pictures]) => [name, pictures.map((file) => file.name)]);
  expect(found).toEqual([
    ['cats', ['cats/1.webp']],
    ['dogs', ['dogs/old/1.png', 'dogs/2.JPG']],
  ]);
});

test('pictures in no folder have no class', () => {
  expect(classFolders([{ path: '1.png', file: new File([], '1.png') }]).size).toBe(0);
});

/** A worker that answers when it is told to. */
function fakeWorker() {
  const worker = Object.assign(new EventTarget(), { postMessage: vi.fn() });
  vi.stubGlobal('Worker', function Worker() {
    return worker;
  });
  vi.stubGlobal('ImageBitmap', class {});
  return {
    fail: (message = '') => worker.dispatchEvent(Object.assign(new Event('error'), { message })),
    answer: (id: number, result: unknown) =>
      worker.dispatchEvent(new MessageEvent('message', { data: { id, result } })),
  };
}

test('a worker that did not start fails all calls, those before and those after', async () => {
  const worker = fakeWorker();
  const client = startWorker();
  const before = client.call('stopRun');
  worker.fail();
  await expect(before).rejects.toThrow('The worker did not start. Load the page again.');
  await expect(client.call('stopRun')).rejects.toThrow('The worker did not start. Load the page again.');
});

test('an answer to a call that was given up is ignored', async () => {
  const worker = fakeWorker();
  const client = startWorker();
  const uncaught = vi.fn();
  process.once('uncaughtException', uncaught);
  const call = client.call('drawFigure');
  worker.fail('Uncaught Error: torn');
  await expect(call).rejects.toThrow('Uncaught Error: torn. Load the page again.');
  worker.answer(1, 'late');
  await new Promise((resolve) => setTimeout(resolve));
  process.off('uncaughtException', uncaught);
  expect(uncaught).not.toHaveBeenCalled();
});
