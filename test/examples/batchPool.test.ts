import { EventEmitter } from 'node:events';
import { beforeEach, expect, test, vi } from 'vitest';
import { startPool } from '../../examples/batch/pool.mjs';

/** A process that answers each group when it is told to. */
class FakeProcess extends EventEmitter {
  connected = true;
  groups: string[][] = [];

  send(files: string[]) {
    this.groups.push(files);
  }

  kill() {}

  answer() {
    const files = this.groups.shift()!;
    this.emit(
      'message',
      files.map((picture) => ({ picture, classes: [] })),
    );
  }

  end() {
    this.connected = false;
    this.emit('exit', null, 'SIGKILL');
  }
}

const { processes } = vi.hoisted(() => ({ processes: [] as FakeProcess[] }));
vi.mock('node:child_process', () => ({
  fork: () => {
    processes.push(new FakeProcess());
    return processes.at(-1);
  },
}));

const open = (size: number) => startPool(size, { model: 'cifar10', topK: 1 });

beforeEach(() => {
  processes.length = 0;
});

test('a process that was killed while it had nothing to do gets nothing more', async () => {
  const pool = open(2);
  const [first, second] = [processes[0]!, processes[1]!];
  const before = pool.classify(['a.jpg']);
  first.answer();
  expect(await before).toEqual([{ picture: 'a.jpg', classes: [] }]);
  first.end();
  const after = [pool.classify(['b.jpg']), pool.classify(['c.jpg'])];
  expect(second.groups).toEqual([['b.jpg'], ['c.jpg']]);
  second.answer();
  second.answer();
  expect((await Promise.all(after)).flat().map(({ picture }) => picture)).toEqual(['b.jpg', 'c.jpg']);
});

test('where all have ended a call says why', async () => {
  const pool = open(1);
  processes[0]!.end();
  await expect(pool.classify(['a.jpg'])).rejects.toThrow('A process that classifies ended with SIGKILL.');
});

test('what a process had to do when it ended is rejected', async () => {
  const pool = open(2);
  const lost = pool.classify(['a.jpg']);
  const kept = pool.classify(['b.jpg']);
  processes[0]!.end();
  processes[1]!.answer();
  await expect(lost).rejects.toThrow('SIGKILL');
  expect(await kept).toHaveLength(1);
});
