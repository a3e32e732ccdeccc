import { createHash } from 'node:crypto';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import '@tensorflow/tfjs-backend-cpu';
import * as tf from '@tensorflow/tfjs-core';
import type { LayersModel } from '@tensorflow/tfjs-layers';
import { afterEach, beforeAll, beforeEach, expect, vi } from 'vitest';
import { type LoadPretrainedOptions, loadPretrained } from '../../src/formats/loadPretrained';
import { type PretrainedNetwork, pretrainedFamilies } from '../../src/formats/pretrained/pretrainedNetworks';
import { publicFiles, randomNetwork } from './pretrainedFixture';
import { type PretrainedServer, startPretrainedServer } from './pretrainedServer';

export const KERAS: PretrainedNetwork = { source: 'keras', alpha: 0.25, resolution: 128 };
export const TIMM: PretrainedNetwork = { source: 'timm', alpha: 1, resolution: 33 };
export const LARGE_TIMM: PretrainedNetwork = { source: 'timm', alpha: 1.25, resolution: 32 };
export const TFJS: PretrainedNetwork = { source: 'tfjs', alpha: 0.25, resolution: 224 };

export const KERAS_FILE = '/tensorflow/keras-applications/mobilenet/mobilenet_2_5_128_tf.h5';
export const TFJS_FOLDER = '/tfjs-models/tfjs/mobilenet_v1_0.25_224/';

/** A server and a cache for each test of a file; no test may leave a tensor behind, but for the models that it loaded. */
export class PretrainedHarness {
  server!: PretrainedServer;
  cacheDir!: string;
  private readonly made: LayersModel[] = [];
  /** What the files hold, by network; made once. */
  private readonly networks = new Map<string, { weights: string[]; files: Map<string, Uint8Array> }>();
  /** What stands in the place of the digests in Keras's source, by path. */
  readonly kerasDigests = new Map<string, string>();
  private tensorsBefore = 0;

  constructor() {
    beforeAll(async () => {
      await tf.setBackend('cpu');
      // The backend makes tensors of its own at its first use.
      randomNetwork({ ...KERAS, resolution: 32 }).dispose();
    });
    beforeEach(async () => {
      this.kerasDigests.clear();
      vi.spyOn(pretrainedFamilies.keras, 'checksumOf').mockImplementation((network, includeTop) => {
        const sha256 = this.kerasDigests.get(new URL(pretrainedFamilies.keras.urlOf(network, includeTop)).pathname);
        return sha256 === undefined ? undefined : { sha256 };
      });
      this.server = await startPretrainedServer();
      this.cacheDir = join(await mkdtemp(join(tmpdir(), 'mobilenet-pretrained-')), 'cache');
      this.tensorsBefore = tf.memory().numTensors;
    });
    afterEach(async () => {
      vi.restoreAllMocks();
      for (const model of this.made.splice(0)) model.dispose();
      expect(tf.memory().numTensors).toBe(this.tensorsBefore);
      await this.server.close();
      await rm(join(this.cacheDir, '..'), { recursive: true });
    });
  }

  /** Everything from the server, into the cache of this test; the model is disposed of after it. */
  async load(options: LoadPretrainedOptions): Promise<LayersModel> {
    const model = await loadPretrained({ fetch: this.server.fetch, cacheDir: this.cacheDir, ...options });
    this.made.push(model);
    return model;
  }

  /** The names in the cache. */
  cached(): Promise<string[]> {
    return readdir(this.cacheDir).catch(() => []);
  }

  /** Puts a network with random weights to its public address, and resolves with their digests. */
  async publish(network: PretrainedNetwork, includeTop = true): Promise<string[]> {
    const key = JSON.stringify([network, includeTop]);
    let published = this.networks.get(key);
    if (!published) {
      const model = randomNetwork(network, includeTop);
      published = { weights: weightsOf(model), files: await publicFiles(network, model, includeTop) };
      model.dispose();
      this.networks.set(key, published);
    }
    const { files } = this.server;
    for (const [path, file] of published.files) {
      files.set(path, file);
      if (network.source === 'keras') this.kerasDigests.set(path, sha256Of(file));
      if (network.source === 'timm') files.set(path.replace('/resolve/', '/raw/'), lfsPointer(file));
    }
    return published.weights;
  }
}

export function sha256Of(...files: Uint8Array[]): string {
  return files.reduce((hash, file) => hash.update(file), createHash('sha256')).digest('hex');
}

/** What Hugging Face has beside a large file. */
export function lfsPointer(file: Uint8Array): Uint8Array {
  const lines = [
    'version https://git-lfs.github.com/spec/v1',
    `oid sha256:${sha256Of(file)}`,
    `size ${file.length}`,
    '',
  ];
  return Buffer.from(lines.join('\n'));
}

/** The digest of each weight, from the input to the output. */
export function weightsOf(model: LayersModel): string[] {
  // tfjs's own order depends on which layers are frozen.
  const weights = [...model.weights].sort((a, b) => a.id - b.id);
  return weights.map((weight) => {
    const { buffer, byteOffset, byteLength } = weight.read().dataSync();
    return sha256Of(new Uint8Array(buffer, byteOffset, byteLength));
  });
}
