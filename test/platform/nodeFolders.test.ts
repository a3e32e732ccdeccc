import * as fs from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { platform } from '../../src/platform/node';

vi.mock('node:fs/promises', async (original) => {
  const actual = await original<typeof fs>();
  return { ...actual, open: vi.fn(actual.open), rename: vi.fn(actual.rename) };
});

const { folders } = platform;
const files = new Map<string, Uint8Array<ArrayBuffer> | string>([
  ['data.bin', Uint8Array.of(1, 2, 3)],
  ['manifest.json', '{}'],
]);
const killedId = '00000000-0000-4000-8000-000000000000';

let root: string;
beforeEach(async () => {
  root = await fs.mkdtemp(join(tmpdir(), 'mobilenet-folders-'));
});
afterEach(async () => {
  vi.restoreAllMocks();
  await fs.rm(root, { recursive: true });
});

test('creates a folder and those it lies in, lists, reads and removes it', async () => {
  for (const path of [join(root, 'a/b/c'), pathToFileURL(join(root, 'a/b/c')).href]) {
    await folders.create(path, files);
    expect(await folders.list(join(root, 'a/b'))).toEqual(['c']);
    expect(await folders.list(path)).toEqual(['data.bin', 'manifest.json']);
    expect(await folders.read(`${path}/data.bin`)).toEqual(Uint8Array.of(1, 2, 3));
    expect(new TextDecoder().decode(await folders.read(`${path}/manifest.json`))).toBe('{}');
    await folders.remove(path);
    await folders.remove(path);
    expect(await fs.readdir(join(root, 'a/b'))).toEqual([]);
  }
});

test('what is not there is undefined', async () => {
  await fs.writeFile(join(root, 'file'), '');
  for (const path of ['nowhere', 'file']) expect(await folders.list(join(root, path))).toBeUndefined();
  for (const path of ['nowhere', 'file/name']) expect(await folders.read(join(root, path))).toBeUndefined();
  await folders.sweep(join(root, 'nowhere'), '');
});

test('what stands stays: a second one of the same name is refused, and leaves nothing', async () => {
  await folders.create(join(root, 'one'), files);
  const refused = { code: 'file-system', message: expect.stringContaining('a folder that can be written') };
  await expect(folders.create(join(root, 'one'), new Map([['other', '']]))).rejects.toMatchObject(refused);
  expect(await fs.readdir(root)).toEqual(['one']);
  expect(await folders.list(join(root, 'one'))).toEqual(['data.bin', 'manifest.json']);
});

test('the folder gets its name when its files and their names are on the disk', async () => {
  const events: string[] = [];
  const { open, rename } = await vi.importActual<typeof fs>('node:fs/promises');
  const nameOf = (path: unknown) =>
    String(path)
      .slice(root.length)
      .replace(/\.[0-9a-f-]{36}\.tmp/, '.tmp');
  vi.mocked(fs.open).mockImplementation(async (path, ...rest) => {
    const handle = await open(path, ...rest);
    const { sync } = handle;
    handle.sync = () => {
      events.push(`sync ${nameOf(path)}`);
      return sync.call(handle);
    };
    return handle;
  });
  vi.mocked(fs.rename).mockImplementation(async (from, to) => {
    events.push(`rename ${nameOf(from)} ${nameOf(to)}`);
    return rename(from, to);
  });
  await folders.create(join(root, 'one'), files);
  await folders.remove(join(root, 'one'));
  expect(events).toEqual([
    'sync /one.tmp/data.bin',
    'sync /one.tmp/manifest.json',
    'sync /one.tmp',
    'rename /one.tmp /one',
    'sync ',
    'rename /one /one.tmp',
  ]);
});

test('where folders cannot be opened, as on Windows, it does without', async () => {
  const { open } = await vi.importActual<typeof fs>('node:fs/promises');
  vi.mocked(fs.open).mockImplementation(async (path, ...rest) => {
    if (rest.length === 0) throw Object.assign(new Error('EISDIR'), { code: 'EISDIR', syscall: 'open' });
    return open(path, ...rest);
  });
  await folders.create(join(root, 'one'), files);
  expect(await folders.list(root)).toEqual(['one']);
});

test('a new folder sweeps away what killed processes left of it long ago', async () => {
  const [old, fresh, other] = [`one.${killedId}.tmp`, `one.${killedId.replace('4', '5')}.tmp`, `other.${killedId}.tmp`];
  for (const name of [old, fresh, other]) await fs.mkdir(join(root, name));
  await fs.writeFile(join(root, old, 'half'), '');
  for (const name of [old, other]) await fs.utimes(join(root, name), 0, 0);
  await folders.create(join(root, 'one'), files);
  expect((await fs.readdir(root)).sort()).toEqual(['one', fresh, other].sort());
});

test('what killed processes left does not count, and is swept away by its prefix', async () => {
  const left = [`mine-1.${killedId}.tmp`, `mine-2.${killedId}.tmp`];
  const others = [`other.${killedId}.tmp`, `.${killedId}.tmp`];
  for (const name of [...left, ...others]) await fs.mkdir(join(root, name));
  await fs.writeFile(join(root, left[0]!, 'half'), '');
  await fs.writeFile(join(root, 'mine-notes.tmp'), '');
  expect(await folders.list(root)).toEqual(['mine-notes.tmp']);
  await folders.sweep(root, 'mine-');
  expect((await fs.readdir(root)).sort()).toEqual(['mine-notes.tmp', ...others].sort());
});
