import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import type { LoadProgress } from '../../src/platform/cachedDownload';
import {
  KERAS,
  KERAS_FILE,
  lfsPointer,
  PretrainedHarness,
  sha256Of,
  TFJS,
  TFJS_FOLDER,
  TIMM,
  weightsOf,
} from './pretrainedHarness';

const harness = new PretrainedHarness();

describe('the cache', () => {
  const offline: typeof globalThis.fetch = () => Promise.reject(new TypeError('no network'));

  test.each([KERAS, TFJS])('%o is downloaded once, and needs no network then', async (network) => {
    const weights = await harness.publish(network);
    await harness.load(network);
    expect(await harness.cached()).toEqual([expect.stringMatching(/^[0-9a-f]{64}-weights\.tar$/)]);
    expect(weightsOf(await harness.load({ ...network, fetch: offline }))).toEqual(weights);
  });

  test('progress: bytes of all files of the download, then of the cache', async () => {
    await harness.publish(TFJS);
    const bytes = [...harness.server.files.values()].reduce((sum, file) => sum + file.length, 0);
    const seen: LoadProgress[] = [];
    await harness.load({ ...TFJS, onProgress: (progress) => seen.push(progress) });
    expect(seen.filter(({ phase }) => phase === 'download').at(-1)).toMatchObject({ loaded: bytes, total: bytes });
    expect(seen.at(-1)).toEqual({ phase: 'read', loaded: bytes, total: bytes });
  });

  test.each<[string, (file: Buffer) => Uint8Array]>([
    ['a wrong byte in the weights', (file) => file.fill(file[900_000]! ^ 1, 900_000, 900_001)],
    ['a wrong digest', (file) => file.fill(file[512]! ^ 1, 512, 513)],
    ['half a file', (file) => file.subarray(0, 500_000)],
    ['an empty file', () => new Uint8Array()],
  ])('%s in it is thrown away and downloaded again', async (_, damage) => {
    const weights = await harness.publish(KERAS);
    await harness.load(KERAS);
    const [name] = await harness.cached();
    const file = await readFile(join(harness.cacheDir, name!));
    await writeFile(join(harness.cacheDir, name!), damage(Buffer.from(file)));
    expect(weightsOf(await harness.load(KERAS))).toEqual(weights);
    expect(harness.server.requests).toHaveLength(2);
    expect(Buffer.compare(await readFile(join(harness.cacheDir, name!)), file)).toBe(0);
  });

  test('another address has an entry of its own', async () => {
    const weights = await harness.publish(KERAS);
    await harness.load(KERAS);
    harness.server.files.set('/mirror/keras.h5', harness.server.files.get(KERAS_FILE)!);
    const url = new URL(`${harness.server.origin}/mirror/keras.h5`);
    expect(weightsOf(await harness.load({ ...KERAS, url, fetch: globalThis.fetch }))).toEqual(weights);
    expect(await harness.cached()).toHaveLength(2);
    await harness.load({ ...KERAS, url: url.href, fetch: offline });
  });
});

describe('checks', () => {
  test('the digest is told, of all files of a model in their order, and can be pinned', async () => {
    await harness.publish(TFJS);
    const json = harness.server.files.get(`${TFJS_FOLDER}model.json`)!;
    const { weightsManifest } = JSON.parse(Buffer.from(json).toString());
    const shards = weightsManifest.flatMap(({ paths }: { paths: string[] }) =>
      paths.map((path) => harness.server.files.get(`${TFJS_FOLDER}${path}`)!),
    );
    const digests: string[] = [];
    await harness.load({ ...TFJS, onDigest: (sha256) => digests.push(sha256) });
    await harness.load({ ...TFJS, onDigest: (sha256) => digests.push(sha256), verify: digests[0]! });
    await harness.load({ ...TFJS, onDigest: (sha256) => digests.push(sha256), verify: false });
    expect(new Set(digests)).toEqual(new Set([sha256Of(json, ...shards)]));
    expect(digests).toHaveLength(3);
  });

  test('a file that is not the pinned one is refused, and not kept', async () => {
    await harness.publish(KERAS);
    const verify = 'a'.repeat(64);
    await expect(harness.load({ ...KERAS, verify })).rejects.toMatchObject({
      code: 'invalid-data',
      message: expect.stringMatching(/expected SHA-256 a{64}, received [0-9a-f]{64}\..*verify: false/),
    });
    expect(await harness.cached()).toEqual([]);
  });

  test('Keras’s file is checked against the digest in Keras’s source, unless verify is false', async () => {
    const weights = await harness.publish(KERAS);
    harness.kerasDigests.set(KERAS_FILE, sha256Of(Buffer.from('another file')));
    await expect(harness.load(KERAS)).rejects.toMatchObject({
      code: 'invalid-data',
      message: expect.stringContaining(`expected SHA-256 ${sha256Of(Buffer.from('another file'))}`),
    });
    expect(await harness.cached()).toEqual([]);
    expect(weightsOf(await harness.load({ ...KERAS, verify: false }))).toEqual(weights);
  });

  test('timm’s file is checked against the published checksum, unless verify is false', async () => {
    const weights = await harness.publish(TIMM);
    const pointer = [...harness.server.files.keys()].find((path) => path.includes('/raw/'))!;
    harness.server.files.set(pointer, lfsPointer(Buffer.from('another file')));
    await expect(harness.load(TIMM)).rejects.toMatchObject({
      code: 'invalid-data',
      message: expect.stringContaining(`expected SHA-256 ${sha256Of(Buffer.from('another file'))}`),
    });
    expect(await harness.cached()).toEqual([]);
    expect(weightsOf(await harness.load({ ...TIMM, verify: false }))).toEqual(weights);
    // What was kept unchecked does not pass for checked.
    await expect(harness.load(TIMM)).rejects.toMatchObject({ code: 'invalid-data' });
  });
});

describe('what cannot be loaded leaves no tensor, and nothing in the cache', () => {
  afterEach(async () => expect(await harness.cached()).toEqual([]));

  test('HTTP 404', async () => {
    await expect(harness.load(KERAS)).rejects.toMatchObject({
      code: 'download-failed',
      message: expect.stringMatching(/mobilenet_2_5_128_tf\.h5: .*received 404/),
    });
  });

  test('a page in the place of a file', async () => {
    harness.server.files.set(KERAS_FILE, Buffer.from('<!doctype html><title>Log in</title>'));
    await expect(harness.load(KERAS)).rejects.toMatchObject({
      code: 'invalid-data',
      message: expect.stringContaining('a page of HTML'),
    });
  });

  test('half a file', async () => {
    await harness.publish(KERAS);
    harness.server.files.set(KERAS_FILE, harness.server.files.get(KERAS_FILE)!.subarray(0, 500_000));
    await expect(harness.load(KERAS)).rejects.toMatchObject({ code: 'invalid-data' });
  });

  test('a shard that is missing, and one that is too short', async () => {
    await harness.publish(TFJS);
    const shard = [...harness.server.files.keys()].find((path) => path.endsWith('.bin'))!;
    const file = harness.server.files.get(shard)!;
    harness.server.files.delete(shard);
    await expect(harness.load(TFJS)).rejects.toMatchObject({ code: 'download-failed' });
    harness.server.files.set(shard, file.subarray(0, -4));
    await expect(harness.load(TFJS)).rejects.toMatchObject({ code: 'invalid-data' });
  });

  test('an abort before the load, in the middle of it, and between two shards', async () => {
    await harness.publish(KERAS);
    await harness.publish(TFJS);
    await expect(harness.load({ ...KERAS, signal: AbortSignal.abort() })).rejects.toMatchObject({ name: 'AbortError' });
    expect(harness.server.requests).toEqual([]);

    const reason = new Error('the user went away');
    const half = harness.server.files.get(KERAS_FILE)!.subarray(0, 100_000);
    harness.server.state.answer = ({ url }, response) => {
      if (url === KERAS_FILE) response.write(half);
      return url === KERAS_FILE;
    };
    const controller = new AbortController();
    const loading = harness.load({ ...KERAS, signal: controller.signal, onProgress: () => controller.abort(reason) });
    await expect(loading).rejects.toBe(reason);

    const second = new AbortController();
    harness.server.state.answer = ({ url }) => {
      const isShard = url!.endsWith('.bin');
      if (isShard) second.abort(reason);
      return isShard;
    };
    await expect(harness.load({ ...TFJS, signal: second.signal })).rejects.toBe(reason);
  });
});

test('an abort while the cache is read', async () => {
  await harness.publish(KERAS);
  await harness.load(KERAS);
  const controller = new AbortController();
  const reason = new Error('the user went away');
  const { signal } = controller;
  await expect(harness.load({ ...KERAS, signal, onProgress: () => controller.abort(reason) })).rejects.toBe(reason);
  expect(await harness.cached()).toHaveLength(1);
});

test('weights of another width: what differs is listed, and the file stays', async () => {
  await harness.publish(KERAS);
  harness.server.files.set(
    '/tensorflow/keras-applications/mobilenet/mobilenet_5_0_128_tf.h5',
    harness.server.files.get(KERAS_FILE)!,
  );
  await expect(harness.load({ ...KERAS, alpha: 0.5 })).rejects.toMatchObject({
    code: 'invalid-argument',
    message: expect.stringContaining('conv1'),
  });
  expect(await harness.cached()).toHaveLength(1);
});
