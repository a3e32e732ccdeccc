import { expect, test, vi } from 'vitest';
import { CallQueue } from '../../src/classify/callQueue';

/** A promise that is settled from outside. */
function deferred<T = void>() {
  let resolve!: (value: T) => void;
  let reject!: (reason: unknown) => void;
  const promise = new Promise<T>((yes, no) => {
    resolve = yes;
    reject = no;
  });
  return { promise, resolve, reject };
}

/** Lets everything run that can. */
const settle = () => new Promise((resolve) => setTimeout(resolve));

/** Rejections are looked at later. */
function quiet<T>(promise: Promise<T>): Promise<T> {
  promise.catch(() => {});
  return promise;
}

test('calls begin at once and run one after the other, in their order', async () => {
  const queue = new CallQueue();
  const seen: string[] = [];
  const gates = [deferred(), deferred(), deferred()];
  const calls = gates.map(({ promise }, i) =>
    queue.add(() => {
      seen.push(`begin ${i}`);
      return async () => {
        seen.push(`run ${i}`);
        await promise;
        seen.push(`end ${i}`);
        return i;
      };
    }),
  );
  expect(seen).toEqual(['begin 0', 'begin 1', 'begin 2']);
  gates[2]!.resolve();
  gates[1]!.resolve();
  await settle();
  expect(seen.slice(3)).toEqual(['run 0']);
  gates[0]!.resolve();
  expect(await Promise.all(calls)).toEqual([0, 1, 2]);
  expect(seen.slice(3)).toEqual(['run 0', 'end 0', 'run 1', 'end 1', 'run 2', 'end 2']);
});

test('a call that fails, at its beginning or while it runs, does not stop those behind it', async () => {
  const queue = new CallQueue();
  const early = quiet(
    queue.add(() => {
      throw new Error('early');
    }),
  );
  const late = quiet(
    queue.add(() => async () => {
      throw new Error('late');
    }),
  );
  const good = queue.add(() => async () => 'good');
  await expect(early).rejects.toThrow('early');
  await expect(late).rejects.toThrow('late');
  expect(await good).toBe('good');
});

test("a call that is aborted before its turn never runs, and rejects with the signal's reason", async () => {
  const queue = new CallQueue();
  const gate = deferred();
  const first = queue.add(() => () => gate.promise);
  const stop = new AbortController();
  let ran = false;
  let givenUp: AbortSignal | undefined;
  const second = quiet(
    queue.add((signal) => {
      givenUp = signal;
      return async () => {
        ran = true;
      };
    }, stop.signal),
  );
  const third = queue.add(() => async () => 'third');
  const reason = new Error('no longer');
  stop.abort(reason);
  // While the first one is still running.
  await expect(second).rejects.toBe(reason);
  expect(givenUp?.reason).toBe(reason);
  gate.resolve();
  await first;
  expect(await third).toBe('third');
  expect(ran).toBe(false);
});

test('a call that is aborted while it runs rejects at once, and the next one waits for its end', async () => {
  const queue = new CallQueue();
  const gate = deferred<string>();
  const stop = new AbortController();
  const first = quiet(queue.add(() => () => gate.promise, stop.signal));
  let secondRan = false;
  const second = queue.add(() => async () => {
    secondRan = true;
  });
  await settle();
  stop.abort();
  await expect(first).rejects.toMatchObject({ name: 'AbortError' });
  await settle();
  expect(secondRan).toBe(false);
  gate.resolve('dropped');
  await second;
});

test('a call whose signal is aborted already does not begin', async () => {
  const queue = new CallQueue();
  let began = false;
  const call = queue.add(() => {
    began = true;
    return async () => {};
  }, AbortSignal.abort('why'));
  await expect(call).rejects.toBe('why');
  expect(began).toBe(false);
});

test('closing gives up all calls, refuses new ones, and waits for what is running', async () => {
  const queue = new CallQueue();
  const gate = deferred();
  const calls = [0, 1, 2].map(() => quiet(queue.add(() => () => gate.promise)));
  await settle();
  const reason = new Error('closed');
  let closed = false;
  const closing = queue.close(reason).then(() => {
    closed = true;
  });
  for (const call of calls) await expect(call).rejects.toBe(reason);
  await expect(queue.add(() => async () => {})).rejects.toBe(reason);
  await settle();
  expect(closed).toBe(false);
  gate.resolve();
  await closing;
});

test('calls with one signal have one listener in common, which goes with the last of them', async () => {
  const queue = new CallQueue();
  const stop = new AbortController();
  const { signal } = stop;
  const add = vi.spyOn(signal, 'addEventListener');
  const remove = vi.spyOn(signal, 'removeEventListener');
  const gate = deferred();
  const calls = [1, 2, 3].map(() => queue.add(() => () => gate.promise, signal));
  gate.resolve();
  await Promise.all(calls);
  expect([add.mock.calls.length, remove.mock.calls.length]).toEqual([1, 1]);
  expect(remove.mock.calls[0]![1]).toBe(add.mock.calls[0]![1]);
  const later = [1, 2, 3].map(() => quiet(queue.add(() => async () => {}, signal)));
  stop.abort('all of them');
  for (const call of later) await expect(call).rejects.toBe('all of them');
});
