import { Worker } from 'node:worker_threads';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { configureEngine } from '../../src/engine/configureEngine';
import { createTeam, defaultThreads, type Team, type TeamOptions } from '../../src/engine/team';
import { platform } from '../../src/platform/node';
import { bundleTeamWorker } from './teamBundles';
import type { Accident, TestCommand, TestInit } from './teamWorker';

let source: string;
let workers: Worker[] = [];
let gone = 0;

beforeAll(async () => {
  source = `${await bundleTeamWorker()}\nserve(require('node:worker_threads').parentPort);`;
});

beforeEach(() => configureEngine({ createWorker }));

afterEach(() => {
  vi.restoreAllMocks();
  vi.useRealTimers();
  const leftOver = workers.length - gone;
  workers = [];
  gone = 0;
  expect(leftOver, 'workers that were left running').toBe(0);
});

afterAll(() => configureEngine({}));

function createWorker(script = source): Worker {
  const worker = new Worker(script, { eval: true });
  worker.on('exit', () => gone++);
  workers.push(worker);
  return worker;
}

function start(threads: number | undefined, options: Partial<TeamOptions> & Partial<TestInit> = {}): Promise<Team> {
  const { failsToStart, ...rest } = options;
  const prepare = (count: number) => ({ init: { threads: count, failsToStart }, memoryBytes: 1000 });
  return createTeam({ threads, prepare, ...rest });
}

const run = (team: Team, command: TestCommand) => team.run(command);

/** What a promise rejects with, and after how many milliseconds. */
async function failureOf(promise: Promise<unknown>) {
  const begin = performance.now();
  const error = await promise.then(
    (value) => expect.unreachable(`resolved with ${value}`),
    (reason: unknown) => reason,
  );
  return { error, milliseconds: performance.now() - begin };
}

describe.each([1, 2, 4])('%i threads', (threads) => {
  test('10,000 barriers: nobody is ahead or behind', async () => {
    const team = await start(threads);
    expect(team.threads).toBe(threads);
    expect(await run(team, { kind: 'meet', rounds: 5_000 })).toBe(0);
    await team.dispose();
  });

  test('commands run on every thread, in the order of the calls; the result is the first thread’s', async () => {
    const team = await start(threads);
    const all = (threads * (threads + 1)) / 2;
    const counts = await Promise.all([1, 2, 3].map(() => run(team, { kind: 'count' })));
    expect(counts).toEqual([all, 2 * all, 3 * all]);
    await team.dispose();
  });

  test.each<[what: string, how: Accident['how'], code: string, words: string]>([
    ['throws', 'throw', 'engine-failed', 'an accident'],
    ['throws an error of this library', 'throwMobilenetError', 'non-finite', 'expected luck'],
    ['calls process.exit', 'exit', 'engine-failed', 'exit code 3'],
  ])('one that %s while others wait ends all within a second', async (_, how, code, words) => {
    const team = await start(threads);
    const accident = { thread: threads - 1, round: 50, how };
    const runs = [run(team, { kind: 'meet', rounds: 100, accident }), run(team, { kind: 'echo', value: 1 })];
    const [first, second] = await Promise.all(runs.map(failureOf));
    expect(first!.error).toMatchObject({ name: 'MobilenetError', code, message: expect.stringContaining(words) });
    expect(second!.error).toBe(first!.error);
    expect(first!.milliseconds).toBeLessThan(1000);
    expect((await failureOf(run(team, { kind: 'echo', value: 1 }))).error).toBe(first!.error);
    await team.dispose();
  });

  test('one that is terminated from outside while it works ends all within a second', async () => {
    const team = await start(threads);
    const accident = { thread: threads - 1, round: 5, how: 'loop' } as const;
    const pending = failureOf(run(team, { kind: 'meet', rounds: 10, accident }));
    await new Promise((resolve) => setTimeout(resolve, 50));
    await workers.at(-1)!.terminate();
    const { error, milliseconds } = await pending;
    expect(error).toMatchObject({ code: 'engine-failed', message: expect.stringContaining('exit code 1') });
    expect(milliseconds).toBeLessThan(1050);
    await team.dispose();
  });

  test('dispose ends what runs, at once and once', async () => {
    const team = await start(threads);
    const accident = { thread: 0, round: 5, how: 'loop' } as const;
    const pending = failureOf(run(team, { kind: 'meet', rounds: 10, accident }));
    await new Promise((resolve) => setTimeout(resolve, 50));
    await Promise.all([team.dispose(), team.dispose()]);
    expect(gone).toBe(threads);
    expect((await pending).error).toMatchObject({ code: 'engine-failed' });
    expect((await failureOf(run(team, { kind: 'count' }))).error).toMatchObject({
      code: 'engine-failed',
      message: expect.stringContaining('disposed'),
    });
  });
});

test('the event loop turns while threads work', async () => {
  const team = await start(2);
  let turns = 0;
  const timer = setInterval(() => turns++, 1);
  await run(team, { kind: 'meet', rounds: 5_000 });
  clearInterval(timer);
  expect(turns).toBeGreaterThan(5);
  await team.dispose();
});

test('what is transferred moves to the first thread, and a typed array comes back', async () => {
  const weights = Uint8Array.of(1, 2, 3);
  const prepare = (count: number) => ({
    init: { threads: count },
    forFirst: { weights },
    transfer: [weights.buffer],
    memoryBytes: 1000,
  });
  const team = await start(2, { prepare });
  expect(weights.buffer.byteLength).toBe(0);
  expect(await run(team, { kind: 'echo', value: Uint8Array.of(1, 2, 3) })).toEqual(Uint8Array.of(1, 2, 3));
  expect(await run(team, { kind: 'ones', length: 3 })).toEqual(Float32Array.of(1, 1, 1));
  await team.dispose();
});

test('a command that cannot be posted: a clear error, and the end', async () => {
  const team = await start(2);
  const { error } = await failureOf(team.run({ kind: 'echo', value: () => {} }));
  expect(error).toMatchObject({ code: 'invalid-argument', message: expect.stringContaining('could not be cloned') });
  await team.dispose();
});

test('a result that cannot be posted: a clear error, and the end', async () => {
  const team = await start(1);
  const { error } = await failureOf(run(team, { kind: 'ones', length: -1 }));
  expect(error).toMatchObject({
    code: 'engine-failed',
    message: expect.stringContaining('Invalid typed array length'),
  });
  await team.dispose();
});

describe('starting', () => {
  test('a session that cannot be made is the end of all', async () => {
    const { error } = await failureOf(start(3, { failsToStart: 1 }));
    expect(error).toMatchObject({ code: 'engine-failed', message: expect.stringContaining('no session today') });
  });

  test.each([
    ['throws', 'throw new Error("broken")'],
    ['ends by itself', 'process.exit(1)'],
    ['is no script', 'this is no script'],
  ])('a worker that %s is one thread less', async (_, script) => {
    let started = 0;
    configureEngine({ createWorker: () => createWorker(started++ === 1 ? script : source) });
    const team = await start(3);
    expect(team.threads).toBe(2);
    expect(await run(team, { kind: 'meet', rounds: 100 })).toBe(0);
    await team.dispose();
  });

  test('a worker that says nothing for ten seconds is one thread less', async () => {
    let started = 0;
    configureEngine({ createWorker: () => createWorker(started++ === 0 ? 'setInterval(() => {}, 1000)' : source) });
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    const starting = start(2);
    await new Promise((resolve) => setImmediate(resolve));
    vi.advanceTimersByTime(9_999);
    while (workers.length < 2 || vi.getTimerCount() > 1) await new Promise((resolve) => setImmediate(resolve));
    vi.advanceTimersByTime(1);
    const team = await starting;
    expect(team.threads).toBe(1);
    await team.dispose();
  });

  test('an answer that waits while the caller held the thread up for ten seconds is heard', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    const starting = start(1);
    // Long enough for the worker to answer, and to no turn of the event loop.
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 2_000);
    vi.advanceTimersByTime(10_000);
    const team = await starting;
    expect(team.threads).toBe(1);
    await team.dispose();
  });

  test('no worker that starts: an error that names configureEngine and the policy', async () => {
    configureEngine({ createWorker: () => createWorker('throw new Error("broken")') });
    const { error } = await failureOf(start(2));
    expect(error).toMatchObject({ code: 'engine-failed', message: expect.stringContaining('received broken') });
    expect(error).toMatchObject({ message: expect.stringContaining('configureEngine({ createWorker') });
    expect(error).toMatchObject({ message: expect.stringContaining('Content Security Policy') });
  });

  test.each([[undefined], [42], [{ postMessage() {} }]])('createWorker that gives %s: a clear error', async (value) => {
    configureEngine({ createWorker: () => value });
    const { error } = await failureOf(start(1));
    expect(error).toMatchObject({ code: 'invalid-argument', message: expect.stringContaining('node:worker_threads') });
  });

  test.each([0, 1.5, '2'])('threads: %s is refused', async (threads) => {
    expect((await failureOf(start(threads as number))).error).toMatchObject({ code: 'invalid-argument' });
  });

  test('what prepare throws comes through', async () => {
    const prepare = () => {
      throw new Error('no plan');
    };
    expect((await failureOf(start(2, { prepare }))).error).toMatchObject({ message: 'no plan' });
  });
});

describe('memory', () => {
  const withBytes = (memoryBytes: number) => ({ prepare: (threads: number) => ({ init: { threads }, memoryBytes }) });

  test.each([1, 2])(
    '%i threads have the pages that were asked for, on the first thread and the last',
    async (threads) => {
      const team = await start(threads, withBytes(100_000));
      expect(team.memoryBytes).toBe(2 * 65_536);
      expect(await run(team, { kind: 'fill' })).toBe(2 * 65_536);
      await team.dispose();
    },
  );

  test('more than WebAssembly can address: out-of-memory', async () => {
    const { error } = await failureOf(start(2, withBytes(2 ** 32 + 1)));
    expect(error).toMatchObject({ code: 'out-of-memory', message: expect.stringContaining('4097 MB') });
  });

  test.each([1, 2])('no room for it, %i threads: out-of-memory', async (threads) => {
    const broken = 'WebAssembly.Memory = function () { throw new RangeError("could not allocate memory"); };';
    configureEngine({ createWorker: () => createWorker(broken + source) });
    const { error } = await failureOf(start(threads, withBytes(2 ** 20)));
    expect(error).toMatchObject({ code: 'out-of-memory', message: expect.stringContaining('1 MB of WebAssembly') });
  });
});

describe('threads by default', () => {
  test.each([
    [1, 1],
    [3, 3],
    [64, 8],
  ])('a machine with %i processors: %i', (processors, threads) => {
    vi.spyOn(platform, 'processors').mockReturnValue(processors);
    expect(defaultThreads()).toBe(threads);
  });

  test('where memory cannot be shared: 1, whatever was asked for', async () => {
    vi.spyOn(platform, 'canShareMemory').mockReturnValue(false);
    expect(defaultThreads()).toBe(1);
    const team = await start(4);
    expect(team.threads).toBe(1);
    await team.dispose();
  });

  test('createTeam takes them', async () => {
    vi.spyOn(platform, 'processors').mockReturnValue(2);
    const team = await start(undefined);
    expect(team.threads).toBe(2);
    await team.dispose();
  });
});
