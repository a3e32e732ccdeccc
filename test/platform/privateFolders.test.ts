import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { listCheckpoints, readCheckpoint, writeCheckpoint } from '../../src/io/checkpointFolder';
import { platform } from '../../src/platform/browser';

vi.mock('#platform', () => import('../../src/platform/browser'));

type Entry = FakeFolder | { bytes: Uint8Array<ArrayBuffer> };

/** What the page still does before it is closed; infinite where it is not. */
let callsLeft: number;

function act(): void {
  if (callsLeft-- <= 0) throw new DOMException('the page is gone', 'AbortError');
}

/** The part of the origin private file system that is used, as the standard has it. */
class FakeFolder {
  readonly entries = new Map<string, Entry>();

  async *keys() {
    yield* [...this.entries.keys()].reverse();
  }

  async getDirectoryHandle(name: string, { create = false } = {}) {
    if (name === '..') throw new TypeError('Name is not allowed.');
    const entry = this.entries.get(name);
    if (entry && !(entry instanceof FakeFolder)) throw new DOMException('a file', 'TypeMismatchError');
    if (entry) return entry;
    if (!create) throw new DOMException('not found', 'NotFoundError');
    act();
    const folder = new FakeFolder();
    this.entries.set(name, folder);
    return folder;
  }

  async getFileHandle(name: string, { create = false } = {}) {
    const found = this.entries.get(name);
    if (found instanceof FakeFolder) throw new DOMException('a folder', 'TypeMismatchError');
    if (!found && !create) throw new DOMException('not found', 'NotFoundError');
    if (!found) act();
    const file = found ?? { bytes: new Uint8Array() };
    this.entries.set(name, file);
    return { getFile: async () => new Blob([file.bytes]), createWritable: async () => writableOf(file) };
  }

  async removeEntry(name: string, { recursive = false } = {}) {
    const entry = this.entries.get(name);
    if (!entry) throw new DOMException('not found', 'NotFoundError');
    if (entry instanceof FakeFolder && entry.entries.size > 0) {
      if (!recursive) throw new DOMException('not empty', 'InvalidModificationError');
      // One by one, so that a page can be closed in between.
      for (const inner of entry.entries.keys()) await entry.removeEntry(inner, { recursive });
    }
    act();
    this.entries.delete(name);
  }
}

/** What was written counts when it is closed. */
function writableOf(file: { bytes: Uint8Array<ArrayBuffer> }) {
  const parts: BlobPart[] = [];
  return {
    async write(part: BlobPart) {
      act();
      parts.push(part);
    },
    async close() {
      act();
      file.bytes = new Uint8Array(await new Blob(parts).arrayBuffer());
    },
  };
}

let root: FakeFolder;
beforeEach(() => {
  callsLeft = Number.POSITIVE_INFINITY;
  root = new FakeFolder();
  vi.stubGlobal('navigator', { storage: { getDirectory: async () => root } });
});
afterEach(() => {
  vi.unstubAllGlobals();
});

const { folders } = platform;
const files = new Map<string, Uint8Array<ArrayBuffer> | string>([
  ['data.bin', Uint8Array.of(1, 2, 3)],
  ['manifest.json', '{}'],
]);

describe('folders', () => {
  test('are created with those they lie in, listed, read and removed', async () => {
    for (const path of ['a/b/c', '/a/b/c/', './a//b/c']) {
      await folders.create(path, files);
      expect(await folders.list('a/b')).toEqual(['c']);
      expect(await folders.list(path)).toEqual(['data.bin', 'manifest.json']);
      expect(await folders.read(`${path}/data.bin`)).toEqual(Uint8Array.of(1, 2, 3));
      expect(new TextDecoder().decode(await folders.read(`${path}/manifest.json`))).toBe('{}');
      await folders.remove(path);
      await folders.remove(path);
      expect(await folders.list('a/b')).toEqual([]);
    }
  });

  test('what is not there is undefined', async () => {
    await folders.create('a', files);
    for (const path of ['nowhere', 'a/nowhere/deep', 'a/data.bin']) expect(await folders.list(path)).toBeUndefined();
    for (const path of ['nowhere', 'a', 'nowhere/deep']) expect(await folders.read(path)).toBeUndefined();
    await folders.remove('nowhere/deep');
    await folders.sweep('nowhere', '');
  });

  test.each([
    ['a folder of that name', 'one', 'there already'],
    ['a file on the way', 'one/data.bin/two', 'a file'],
    ['a way out', '../one', 'not allowed'],
  ])('%s is refused, and nothing changes', async (_, path, words) => {
    await folders.create('one', files);
    const refused = { code: 'file-system', message: expect.stringContaining(words) };
    await expect(folders.create(path, new Map([['other', '']]))).rejects.toMatchObject(refused);
    expect([...root.entries.keys()]).toEqual(['one']);
    expect(await folders.list('one')).toEqual(['data.bin', 'manifest.json']);
  });

  test('no room: a clear error, and nothing of the folder stays', async () => {
    const full = vi
      .spyOn(Blob.prototype, 'arrayBuffer')
      .mockRejectedValueOnce(new DOMException('no', 'QuotaExceededError'));
    await expect(folders.create('one', files)).rejects.toMatchObject({
      code: 'file-system',
      message: expect.stringContaining("Free some of the browser's storage"),
    });
    full.mockRestore();
    expect(root.entries.size).toBe(0);
  });

  test('only folders of the prefix are swept', async () => {
    callsLeft = 3;
    await expect(folders.create('mine', files)).rejects.toThrow('the page is gone');
    callsLeft = Number.POSITIVE_INFINITY;
    expect([...root.entries.keys()]).toEqual(['mine.tmp', 'mine']);
    expect(await folders.list('/')).toEqual([]);
    await folders.sweep('/', 'other');
    expect(root.entries.size).toBe(2);
    await folders.sweep('/', 'mi');
    expect(root.entries.size).toBe(0);
  });
});

test.each([
  ['an insecure page or an old browser', { storage: {} }, 'an insecure page'],
  ['no navigator', undefined, 'an insecure page'],
  [
    'a page whose storage is forbidden',
    { storage: { getDirectory: () => Promise.reject(new DOMException('no')) } },
    'no',
  ],
])('%s: a clear error', async (_, navigator, words) => {
  vi.stubGlobal('navigator', navigator);
  const writing = writeCheckpoint('run', { step: 1, tensors: new Map(), record: null });
  await expect(writing).rejects.toMatchObject({ code: 'file-system', message: expect.stringContaining(words) });
});

test('a browser that cannot write such files outside of workers: a clear error, and nothing stays', async () => {
  const { getFileHandle } = FakeFolder.prototype;
  vi.spyOn(FakeFolder.prototype, 'getFileHandle').mockImplementation(async function (this: FakeFolder, ...args) {
    return { ...(await getFileHandle.apply(this, args)), createWritable: undefined as never };
  });
  await expect(folders.create('one', files)).rejects.toMatchObject({
    code: 'file-system',
    message: expect.stringMatching(/received one without createWritable\. .* train without checkpoints/),
  });
  vi.restoreAllMocks();
  expect(root.entries.size).toBe(0);
});

describe('checkpoints', () => {
  const checkpointOf = (step: number) => ({
    step,
    tensors: new Map([['w', { shape: [3], data: Float32Array.of(step, -0, 0.1) }]]),
    record: { history: [step] },
  });

  test('are written and read as in Node', async () => {
    for (const step of [1, 2, 3]) await writeCheckpoint('run', checkpointOf(step));
    expect(await listCheckpoints('run')).toEqual([3, 2].map((step) => ({ step, path: `run/step-0000000${step}` })));
    expect(await readCheckpoint('run')).toEqual({ ...checkpointOf(3), path: 'run/step-00000003' });
    await (root.entries.get('run') as FakeFolder).removeEntry('step-00000003', { recursive: true });
    expect(await readCheckpoint('/run/step-00000002')).toMatchObject({ step: 2 });
  });

  test('a damaged one is refused, and the one before it is offered', async () => {
    for (const step of [1, 2]) await writeCheckpoint('run', checkpointOf(step));
    const newest = await (await root.getDirectoryHandle('run')).getDirectoryHandle('step-00000002');
    const state = newest.entries.get('state.safetensors') as { bytes: Uint8Array<ArrayBuffer> };
    state.bytes = state.bytes.slice(0, -1);
    await expect(readCheckpoint('run')).rejects.toMatchObject({
      code: 'invalid-data',
      message: expect.stringContaining("resume: 'run/step-00000001'"),
    });
  });

  test.each([1, 2])('keep %i, closed at any moment: a whole one, no older than the last', async (keep) => {
    const steps: number[] = [];
    for (let calls = 0, done = false; !done; calls++) {
      root.entries.clear();
      for (const step of [1, 2, 3]) await writeCheckpoint('run', checkpointOf(step), { keep });
      callsLeft = calls;
      done = await writeCheckpoint('run', checkpointOf(4), { keep }).then(
        () => true,
        () => false,
      );
      callsLeft = Number.POSITIVE_INFINITY;
      const checkpoint = await readCheckpoint('run');
      expect(checkpoint).toEqual({ ...checkpointOf(checkpoint.step), path: `run/step-0000000${checkpoint.step}` });
      expect(checkpoint.step).toBeGreaterThanOrEqual(done ? 4 : 3);
      steps.push(checkpoint.step);

      await writeCheckpoint('run', checkpointOf(5), { keep });
      expect((root.entries.get('run') as FakeFolder).entries.size).toBe(keep);
    }
    expect(new Set(steps.slice(0, -1))).toEqual(new Set([3, 4]));
    expect(steps.length).toBeGreaterThan(8);
  });
});
