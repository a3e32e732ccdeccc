import { beforeEach, describe, expect, test } from 'vitest';
import { CONTROL_BYTES, createBarrier, endBarriers } from '../../src/engine/barrier';
import { type CreateSession, serveTeam } from '../../src/engine/workerLoop';
import type { InitMessage, TeamMessage, WorkerMessage } from '../../src/engine/workerMessages';
import { check } from '../../src/errors';
import { loadKernelModule } from '../../src/kernels/wasmModule';

/** A worker's loop on this very thread: a port that both sides call, and what the worker has said. */
function serveHere(createSession: CreateSession<unknown, unknown>) {
  const said: WorkerMessage[] = [];
  const port = {
    onmessage: undefined as unknown,
    onmessageerror: undefined as unknown,
    postMessage: (message: unknown) => void said.push(message as WorkerMessage),
  };
  serveTeam(port, createSession);
  const tell = async (message: TeamMessage) =>
    (port.onmessage as (event: { data: TeamMessage }) => Promise<void>)({ data: message });
  return { said, tell, failToRead: () => (port.onmessageerror as () => void)() };
}

let init: InitMessage;
beforeEach(async () => {
  const { module } = await loadKernelModule({ shared: false });
  init = {
    ...{ kind: 'init', id: 1, module, memoryPages: 2, ports: [], control: undefined },
    ...{ thread: 0, threads: 1, init: 'the init' },
  };
});

describe('a worker', () => {
  test('says that it is ready, makes its session and answers with its results', async () => {
    const { said, tell } = serveHere(({ kernels, memory, thread }, init) => ({
      run: (command) => [command, init, thread, memory.buffer.byteLength, typeof kernels.f32ConvForward],
    }));
    await tell(init);
    await tell({ kind: 'run', id: 2, command: 'a command' });
    const result = ['a command', 'the init', 0, 2 * 65_536, 'function'];
    expect(said).toEqual([
      { kind: 'ready' },
      { kind: 'done', id: 1, result: undefined },
      { kind: 'done', id: 2, result },
    ]);
  });

  test('that is not the first gets its memory from the first, and keeps its results to itself', async () => {
    const { port1, port2 } = new MessageChannel();
    const memory = new WebAssembly.Memory({ initial: 2, maximum: 2, shared: true });
    const { module } = await loadKernelModule({ shared: true });
    const { said, tell } = serveHere(({ memory }) => ({
      run: () => new Int32Array(memory.buffer)[0],
    }));
    port1.postMessage(memory);
    await tell({ ...init, module, thread: 1, ports: [port2] });
    await tell({ kind: 'run', id: 2, command: undefined });
    expect(said.at(-1)).toEqual({ kind: 'done', id: 2, result: undefined });
    port1.close();
  });

  test.each<[string, () => void, object]>([
    ['an error', () => JSON.parse('{'), { code: undefined, stack: expect.stringContaining('JSON') }],
    [
      'an error of this library',
      () => check(false, { where: 'x', expected: 'y', received: 1 }),
      { code: 'invalid-argument' },
    ],
    [
      'something else',
      () => {
        throw 'a string';
      },
      { message: 'a string', stack: undefined },
    ],
  ])('tells of %s in plain strings', async (_, run, failure) => {
    const { said, tell } = serveHere(() => ({ run }));
    await tell(init);
    await tell({ kind: 'run', id: 2, command: undefined });
    expect(said.at(-1)).toMatchObject({ kind: 'failed', ...failure });
  });

  test('tells of no room for its memory', async () => {
    const { said, tell } = serveHere(() => ({ run: () => 0 }));
    await tell({ ...init, memoryPages: 2 ** 20 });
    expect(said.at(-1)).toMatchObject({ kind: 'failed', code: 'out-of-memory' });
  });

  test('tells of a message that cannot be read', () => {
    const { said, failToRead } = serveHere(() => ({ run: () => 0 }));
    failToRead();
    expect(said.at(-1)).toMatchObject({ kind: 'failed', message: 'a message that cannot be read' });
  });

  test('that fails after the end of its team says nothing', async () => {
    const control = new SharedArrayBuffer(CONTROL_BYTES);
    const { said, tell } = serveHere(({ barrier }) => ({ run: barrier }));
    // Two threads share a memory; that this one's is its own does not matter here.
    await tell({ ...init, module: (await loadKernelModule({ shared: true })).module, control, threads: 2 });
    endBarriers(control);
    await tell({ kind: 'run', id: 2, command: undefined });
    expect(said.map(({ kind }) => kind)).toEqual(['ready', 'done']);
  });
});

describe('a barrier', () => {
  test('of one thread does not wait, and needs nothing shared', () => {
    createBarrier(undefined, 1)();
    createBarrier(new SharedArrayBuffer(CONTROL_BYTES), 1)();
  });

  test('lets the last thread that comes pass, and counts on past the largest number', () => {
    const control = new SharedArrayBuffer(CONTROL_BYTES);
    const words = new Int32Array(control);
    words.set([1, 0x7fffffff]);
    createBarrier(control, 2)();
    expect([...words]).toEqual([0, 0]);
  });

  test('ends once; from then on it throws', () => {
    const control = new SharedArrayBuffer(CONTROL_BYTES);
    expect(endBarriers(control)).toBe(true);
    expect(endBarriers(control)).toBe(false);
    expect(createBarrier(control, 2)).toThrow('the end of the team');
    expect(endBarriers(undefined)).toBe(true);
  });
});
