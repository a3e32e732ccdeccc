import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type LoadProgress, loadCifar10, loadRelease } from '../../src/data/cifar10';
import { CIFAR_10_FOLDER, type Cifar10 } from '../../src/data/cifar10Format';
import {
  byteAt,
  labelAt,
  type Member,
  makeArchive,
  makeFiles,
  officialMembers,
  RECORDS_PER_FILE,
  releaseOf,
} from './cifar10Fixture';

const files = makeFiles();
const release = { ...releaseOf('https://example.invalid/', new Uint8Array()) };
const load = (source: string | URL | Uint8Array<ArrayBuffer> | ArrayBuffer | Blob, options = {}) =>
  loadRelease(release, { source, ...options });

let root: string;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'mobilenet-cifar10-'));
});
afterAll(() => rm(root, { recursive: true }));

async function makeFolder(name: string, content: ReadonlyMap<string, Uint8Array>): Promise<string> {
  const folder = join(root, name);
  await mkdir(folder, { recursive: true });
  for (const [file, bytes] of content) await writeFile(join(folder, file), bytes);
  return folder;
}

function expectWhole({ train, test: held }: Cifar10) {
  expect([train.size, held.size]).toEqual([5 * RECORDS_PER_FILE, RECORDS_PER_FILE]);
  for (const [dataset, firstFile] of [[train, 0] as const, [held, 5] as const]) {
    const expected = new Uint8Array(dataset.images.length);
    const labels = new Int32Array(dataset.size);
    for (let i = 0; i < dataset.size; i++) {
      const file = firstFile + Math.floor(i / RECORDS_PER_FILE);
      const record = i % RECORDS_PER_FILE;
      labels[i] = labelAt(file, record);
      for (let pixel = 0; pixel < 1024; pixel++) {
        for (let c = 0; c < 3; c++) expected[(i * 1024 + pixel) * 3 + c] = byteAt(file, record, c, pixel);
      }
    }
    expect(Buffer.compare(dataset.images, expected)).toBe(0);
    expect(dataset.labels).toEqual(labels);
    expect(dataset).toMatchObject({ height: 32, width: 32, channels: 3, resizing: { fit: 'crop', cropFraction: 1 } });
    expect(dataset.classNames[9]).toBe('truck');
  }
}

describe('sources', () => {
  test('a folder, the folder above it, and a file: URL', async () => {
    await makeFolder(`whole/${CIFAR_10_FOLDER}`, files);
    expectWhole(await load(join(root, 'whole', CIFAR_10_FOLDER)));
    expectWhole(await load(join(root, 'whole')));
    expectWhole(await load(pathToFileURL(join(root, 'whole'))));
  });

  test('the path of an archive, and its bytes as Uint8Array, ArrayBuffer and Blob', async () => {
    const archive = await makeArchive();
    const path = join(root, 'cifar-10-binary.tar.gz');
    await writeFile(path, archive);
    for (const source of [path, archive, archive.buffer, new Blob([archive])]) expectWhole(await load(source));
  });

  test('a data: URL, which is not cached', async () => {
    const cacheDir = join(root, 'unused-cache');
    const url = `data:application/gzip;base64,${Buffer.from(await makeArchive()).toString('base64')}`;
    expectWhole(await load(url, { cacheDir }));
    await expect(readdir(cacheDir)).rejects.toThrow('ENOENT');
  });

  test('an archive whose names begin with ./', async () => {
    const inDot = officialMembers().map((member) => ({ ...member, name: `./${member.name}` }));
    expectWhole(await load(await makeArchive([{ name: './', type: 'directory' }, ...inDot])));
  });

  test('an archive where streams do not go into for await, as in Safari', async () => {
    const archive = await makeArchive();
    const { prototype } = ReadableStream;
    const iterator = Object.getOwnPropertyDescriptor(prototype, Symbol.asyncIterator)!;
    Reflect.deleteProperty(prototype, Symbol.asyncIterator);
    try {
      expectWhole(await load(archive));
    } finally {
      Object.defineProperty(prototype, Symbol.asyncIterator, iterator);
    }
  });

  test('progress counts up to all bytes, from a folder and from an archive', async () => {
    for (const source of [await makeFolder('progress', files), new Blob([await makeArchive()])]) {
      const seen: LoadProgress[] = [];
      await load(source, { onProgress: (progress: LoadProgress) => seen.push(progress) });
      const last = seen.at(-1)!;
      expect(last).toEqual({ phase: 'read', loaded: last.total, total: last.total });
      expect(last.total).toBe(typeof source === 'string' ? 6 * RECORDS_PER_FILE * 3073 : source.size);
      expect(seen.map(({ loaded }) => loaded)).toEqual(seen.map(({ loaded }) => loaded).sort((a, b) => a - b));
    }
  });

  test('60,000 pictures of an archive of full size', async () => {
    const { train, test: held } = await loadCifar10({ source: await makeArchive(officialMembers(makeFiles(10_000))) });
    expect([train.size, held.size]).toEqual([50_000, 10_000]);
    expect(train.labels[49_999]).toBe(labelAt(4, 9_999));
  });

  test('something that is no source is refused', async () => {
    await expect(load(join(root, 'nothing-here'))).rejects.toMatchObject({
      code: 'file-system',
      message: expect.stringContaining('nothing-here, where there is nothing'),
    });
    await expect(load(5 as never)).rejects.toMatchObject({ code: 'invalid-argument' });
    await expect(load('http://')).rejects.toMatchObject({ code: 'invalid-argument' });
  });
});

describe('a folder that is not whole', () => {
  const cases: [string, Map<string, Uint8Array>, RegExp][] = [
    ['lacks files', new Map([...files].slice(0, 4)), /none named data_batch_5.bin, test_batch.bin/],
    ['truncated', new Map([...files, ['test_batch.bin', new Uint8Array(61_000)]]), /test_batch.bin: .*truncated/],
    ['overlong', new Map([...files, ['data_batch_2.bin', new Uint8Array(61_461)]]), /data_batch_2.bin: .*too long/],
    ['label', withLabel('data_batch_3.bin', 7, 10), /data_batch_3.bin, record 7: expected a label from 0 to 9.* 10/],
  ];
  test.each(cases)('%s', async (name, content, message) => {
    const folder = await makeFolder(`bad-${name}`, content);
    await expect(load(folder)).rejects.toMatchObject({ code: 'invalid-data', message: expect.stringMatching(message) });
  });
});

describe('an archive that is not the official one', () => {
  const plus = (member: Member) => [...officialMembers(), member];
  const inFolder = (name: string) => `${CIFAR_10_FOLDER}/${name}`;
  const without = (file: string) => officialMembers().filter(({ name }) => !name.endsWith(file));
  const cases: [string, Member[], RegExp][] = [
    ['another member', plus({ name: inFolder('data_batch_6.bin') }), /received a file named .*data_batch_6.bin/],
    ['a path that climbs out', plus({ name: inFolder('../../evil.sh') }), /received a file named .*\.\.\/evil.sh/],
    ['an absolute path', plus({ name: '/etc/passwd' }), /received a file named \/etc\/passwd/],
    ['a climbing path to a known name', plus({ name: '../readme.html' }), /received a file named \.\./],
    ['another folder', plus({ name: 'cifar-10/test_batch.bin' }), /received a file named cifar-10\//],
    ['another directory', plus({ name: '../', type: 'directory' }), /received a directory named \.\./],
    [
      'a link',
      [...without('test_batch.bin'), { name: inFolder('test_batch.bin'), type: 'symlink', linkname: '/etc/passwd' }],
      /received a symlink named/,
    ],
    ['a file twice', plus({ name: inFolder('test_batch.bin'), body: files.get('test_batch.bin')! }), /again/],
    ['a file missing', without('data_batch_1.bin'), /none named data_batch_1.bin/],
    ['a truncated file', plus({ name: inFolder('test_batch.bin'), body: new Uint8Array(3073) }), /truncated/],
    ['an overlong file', plus({ name: inFolder('test_batch.bin'), body: new Uint8Array(70_000) }), /too long/],
    ['a label above 9', officialMembers(withLabel('test_batch.bin', 3, 200)), /test_batch.bin, record 3: .* 200/],
  ];
  test.each(cases)('%s', async (_, members, message) => {
    await expect(load(await makeArchive(members))).rejects.toMatchObject({
      code: 'invalid-data',
      message: expect.stringMatching(message),
    });
  });

  test.each([
    ['empty', () => new Uint8Array()],
    ['not gzip', () => new TextEncoder().encode('<html>Not found</html>')],
    ['truncated gzip', (archive: Uint8Array<ArrayBuffer>) => archive.subarray(0, archive.length / 2)],
    ['gzip without its end', (archive: Uint8Array<ArrayBuffer>) => archive.subarray(0, archive.length - 4)],
    ['gzip, but no tar', () => gzip(new Uint8Array(5_000).fill(65))],
    ['gzip of a truncated tar', async () => gzip((await gunzip(await makeArchive())).subarray(0, 100_000))],
  ])('%s', async (_, damage) => {
    await expect(load(await damage(await makeArchive()))).rejects.toMatchObject({
      code: 'invalid-data',
      message: expect.stringContaining('expected a whole tar archive, compressed with gzip'),
    });
  });
});

test('an abort rejects with the reason of the signal: before, and while reading', async () => {
  const archive = await makeArchive();
  const reason = new Error('the user went away');
  await expect(load(archive, { signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
  await expect(load(archive, { signal: AbortSignal.abort() })).rejects.toMatchObject({ name: 'AbortError' });
  for (const source of [archive, await makeFolder('abort', files)]) {
    const controller = new AbortController();
    const onProgress = () => controller.abort(reason);
    await expect(load(source, { signal: controller.signal, onProgress })).rejects.toBe(reason);
  }
});

function withLabel(file: string, record: number, label: number): Map<string, Uint8Array<ArrayBuffer>> {
  const changed = new Map([...files].map(([name, bytes]) => [name, bytes.slice()]));
  changed.get(file)![record * 3073] = label;
  return changed;
}

const through = async (bytes: Uint8Array<ArrayBuffer>, transform: CompressionStream | DecompressionStream) =>
  new Uint8Array(await new Response(new Blob([bytes]).stream().pipeThrough(transform)).arrayBuffer());
const gzip = (bytes: Uint8Array<ArrayBuffer>) => through(bytes, new CompressionStream('gzip'));
const gunzip = (bytes: Uint8Array<ArrayBuffer>) => through(bytes, new DecompressionStream('gzip'));
