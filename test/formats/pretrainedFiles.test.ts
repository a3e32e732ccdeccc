import { createHash } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { downloadFiles, readLocalFiles } from '../../src/formats/pretrained/gatherFiles';
import { publishedSha256 } from '../../src/formats/pretrained/publishedSha256';
import {
  byteCountOf,
  digestOf,
  type KeptFiles,
  packFiles,
  unpackFiles,
  weightFileOf,
} from '../../src/formats/pretrained/weightFiles';
import type { ByteStream } from '../../src/platform/platform';
import { fuzz } from './mutate';
import { type PretrainedServer, startPretrainedServer } from './pretrainedServer';

const bytesOf = (text: string) => new TextEncoder().encode(text);
const textOf = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
const manifestOf = (...groups: { paths: unknown[]; weights?: unknown }[]) =>
  bytesOf(JSON.stringify({ weightsManifest: groups.map((group) => ({ weights: [], ...group })) }));
const floats = (count: number) => [{ name: 'w', dtype: 'float32', shape: [count] }];

describe('what the cache keeps', () => {
  const kept: KeptFiles = {
    digest: 'abc',
    files: {
      main: bytesOf('main'),
      shards: new Map([
        ['group2', bytesOf('two')],
        [`folder/${'long'.repeat(60)}`, bytesOf('')],
        ['sha256', bytesOf('named like another entry')],
      ]),
    },
  };
  const archiveOf = async (files: KeptFiles) => {
    const stream = await packFiles(files);
    return new Uint8Array(await new Response(stream).arrayBuffer());
  };
  const unpack = (bytes: Uint8Array<ArrayBuffer>) => unpackFiles('cache', new Blob([bytes]).stream() as ByteStream);

  test('comes back as it was, in its order', async () => {
    const { digest, files } = await unpack(await archiveOf(kept));
    expect(digest).toBe('abc');
    expect(textOf(files.main)).toBe('main');
    expect([...files.shards.keys()]).toEqual([...kept.files.shards.keys()]);
    expect([...files.shards.values()].map(textOf)).toEqual(['two', '', 'named like another entry']);
  });

  test.each([
    ['nothing', ''],
    ['something else', '<html>'.repeat(300)],
  ])('%s is refused', async (_, text) => {
    await expect(unpack(bytesOf(text))).rejects.toMatchObject({ code: 'invalid-data' });
  });

  test('2,000 damaged archives (seed 5): read, or refused with a typed error', async () => {
    const archive = await archiveOf(kept);
    expect(await fuzz(archive, unpack, { count: 2_000, seed: 5 })).toBeGreaterThan(500);
  });

  test('the digest is that of all files one behind the other', async () => {
    const sha256 = createHash('sha256').update('maintwonamed like another entry').digest('hex');
    expect(await digestOf(kept.files)).toBe(sha256);
    expect(byteCountOf(kept.files)).toBe('maintwonamed like another entry'.length);
  });

  test('readers find the shards, and nothing else', async () => {
    const { bytes, readSibling } = weightFileOf('here', kept.files);
    expect(textOf(bytes)).toBe('main');
    expect(textOf(await readSibling!('group2'))).toBe('two');
    await expect(readSibling!('../secret')).rejects.toMatchObject({ code: 'invalid-data' });
  });
});

describe('a download', () => {
  let server: PretrainedServer;
  beforeEach(async () => {
    server = await startPretrainedServer();
  });
  afterEach(() => server.close());

  test('of one file', async () => {
    server.files.set('/a.h5', bytesOf('weights'));
    const { main, shards } = await downloadFiles(`${server.origin}/a.h5`, {});
    expect([textOf(main), shards.size]).toEqual(['weights', 0]);
  });

  test('of a model.json with its shards in the manifest’s order, a query with each; progress counts all of them', async () => {
    const manifest = manifestOf(
      { paths: ['b', 'a'], weights: floats(3) },
      { paths: ['sub/c', 'a'], weights: floats(1) },
    );
    server.files.set('/m/model.json', manifest);
    for (const name of ['a', 'b', 'sub/c']) server.files.set(`/m/${name}`, bytesOf(`${name}!!!!`.slice(0, 5)));
    const queries = new Set<string>();
    server.state.answer = ({ url }) => {
      queries.add(url!.split('?')[1]!);
      return false;
    };
    const progress: [number, number | undefined][] = [];
    const { main, shards } = await downloadFiles(`${server.origin}/m/model.json?token=1`, {
      onProgress: (...step) => progress.push(step),
    });
    expect(main).toEqual(manifest);
    expect(Array.from(shards, ([path, bytes]) => [path, textOf(bytes)])).toEqual([
      ['b', 'b!!!!'],
      ['a', 'a!!!!'],
      ['sub/c', 'sub/c'],
    ]);
    expect([...queries]).toEqual(['token=1']);
    expect(progress.at(-1)).toEqual([manifest.length + 15, manifest.length + 16]);
    expect(progress.every(([loaded], i) => i === 0 || loaded >= progress[i - 1]![0])).toBe(true);
  });

  test.each<[string, Uint8Array]>([
    ['a path out of the folder', manifestOf({ paths: ['../a'] })],
    ['an address', manifestOf({ paths: ['http://elsewhere/a'] })],
    ['a path that is no text', manifestOf({ paths: [1] })],
    ['a group without paths', bytesOf('{"weightsManifest":[{"weights":[]}]}')],
    ['a weight without a shape', manifestOf({ paths: ['a'], weights: [{ name: 'w', dtype: 'float32' }] })],
    ['JSON that breaks off', bytesOf('{"weightsManifest":[')],
  ])('of a manifest with %s is refused, and no other file asked for', async (_, manifest) => {
    server.files.set('/model.json', manifest);
    await expect(downloadFiles(`${server.origin}/model.json`, {})).rejects.toMatchObject({ code: 'invalid-data' });
    expect(server.requests).toEqual(['/model.json']);
  });

  test('JSON without a manifest is one file', async () => {
    server.files.set('/error', bytesOf('{"error":"no such model"}'));
    const { shards } = await downloadFiles(`${server.origin}/error`, {});
    expect(shards.size).toBe(0);
  });

  test('that does not end is cut off', async () => {
    const chunk = new Uint8Array(2 ** 24);
    let chunks = 0;
    const fetch = async () =>
      new Response(
        new ReadableStream({
          pull(stream) {
            chunks++;
            stream.enqueue(chunk);
          },
        }),
      );
    await expect(downloadFiles(`${server.origin}/a`, { fetch })).rejects.toMatchObject({
      code: 'invalid-data',
      message: expect.stringContaining('at most 268435456 bytes'),
    });
    expect(chunks).toBeLessThan(20);
  });

  test('of a published checksum', async () => {
    const sha256 = createHash('sha256').update('weights').digest('hex');
    const pointer = `version https://git-lfs.github.com/spec/v1\noid sha256:${sha256}\nsize 7\n`;
    server.files.set('/pointer', bytesOf(pointer));
    server.files.set('/other', bytesOf('oid sha256:12\n'));
    const read = (path: string) => publishedSha256({ pointerUrl: server.origin + path }, {});
    expect(await publishedSha256({ sha256 }, {})).toBe(sha256);
    expect(await read('/pointer')).toBe(sha256);
    await expect(read('/other')).rejects.toMatchObject({
      code: 'invalid-data',
      message: expect.stringContaining('verify: false'),
    });
    await expect(read('/none')).rejects.toMatchObject({ code: 'download-failed' });
  });
});

describe('a path', () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'mobilenet-pretrained-'));
  });
  afterEach(() => rm(folder, { recursive: true }));

  test('of a file, of a model.json and of its folder', async () => {
    await writeFile(join(folder, 'a.h5'), 'weights');
    await writeFile(join(folder, 'model.json'), manifestOf({ paths: ['a'], weights: floats(1) }));
    await writeFile(join(folder, 'a'), 'four');
    const progress: number[] = [];
    const { main } = await readLocalFiles(join(folder, 'a.h5'), { onProgress: (loaded) => progress.push(loaded) });
    expect(textOf(main)).toBe('weights');
    expect(progress).toEqual([7]);
    for (const path of [folder, join(folder, 'model.json')]) {
      const { shards } = await readLocalFiles(path, {});
      expect(Array.from(shards, ([name, bytes]) => [name, textOf(bytes)])).toEqual([['a', 'four']]);
    }
  });

  test('that leads nowhere, and a shard that is missing', async () => {
    await expect(readLocalFiles(join(folder, 'none.h5'), {})).rejects.toMatchObject({
      code: 'file-system',
      message: expect.stringContaining('a file of weights, or a folder with a model.json, received no such path'),
    });
    await writeFile(join(folder, 'model.json'), manifestOf({ paths: ['a'] }));
    await expect(readLocalFiles(folder, {})).rejects.toMatchObject({ code: 'file-system' });
  });
});
