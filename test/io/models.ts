import { readFile, writeFile } from 'node:fs/promises';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { engine, memory, ones, type Tensor, tensor, tidy } from '@tensorflow/tfjs-core';
import { type LayersModel, layers, sequential } from '@tensorflow/tfjs-layers';
import { expect } from 'vitest';
import { MobilenetError, type MobilenetErrorCode } from '../../src/errors';
import { createRandom } from '../../src/random';

/** 5x4 pictures of 3 channels to `classes`; weights from `seed`; the batch norm is frozen. */
export function smallConvNet({ classes = 2, seed = 1 } = {}): LayersModel {
  const model = sequential({
    layers: [
      layers.conv2d({ inputShape: [5, 4, 3], filters: 4, kernelSize: 3, name: 'conv', useBias: false }),
      layers.batchNormalization({ name: 'norm', trainable: false }),
      layers.depthwiseConv2d({ kernelSize: 2, name: 'depthwise' }),
      layers.flatten({ name: 'flat' }),
      layers.dense({ units: classes, name: 'dense', activation: 'softmax' }),
    ],
  });
  const random = createRandom(seed);
  tidy(() => {
    model.setWeights(
      model.getWeights().map((weight) => {
        // Variances, among the weights, may not be negative.
        return tensor(Float32Array.from({ length: weight.size }, random.uniform), weight.shape);
      }),
    );
  });
  return model;
}

/** One weight matrix of `units` x `units` float32, so that the size of the file is easy to tell. */
export function denseNet(units: number): LayersModel {
  return sequential({
    layers: [layers.dense({ inputShape: [units], units, useBias: false, name: 'square', kernelInitializer: 'ones' })],
  });
}

/** The bits of all weights. */
export function weightBits(model: LayersModel): number[][] {
  return model.getWeights().map((weight) => [...new Uint32Array(Float32Array.from(weight.dataSync()).buffer)]);
}

export function predictOnes(model: LayersModel): number[] {
  return tidy(() => [...(model.predict(ones(model.inputs[0]!.shape.map((size) => size ?? 1))) as Tensor).dataSync()]);
}

/** What a model.json holds, as loosely as a test wants to damage it. */
// biome-ignore lint/suspicious/noExplicitAny: the point is to write what types forbid.
export type LooseJson = any;

/** Changes the model.json of a folder; `edit` changes its argument or returns what shall stand in its place. */
export async function editJson(folder: string, edit: (json: LooseJson) => unknown): Promise<void> {
  const path = join(folder, 'model.json');
  const json = JSON.parse(await readFile(path, 'utf8'));
  const edited = edit(json) ?? json;
  await writeFile(path, typeof edited === 'string' ? edited : JSON.stringify(edited));
}

/** Expects an error of this library with the code and every text, and no tensor or variable left behind by it. */
export async function expectFailure(
  action: () => Promise<unknown>,
  code: MobilenetErrorCode,
  ...texts: (string | RegExp)[]
): Promise<void> {
  const before = footprint();
  const error = await action().then(
    () => expect.fail('should have failed'),
    (thrown: unknown) => thrown,
  );
  expect(error).toBeInstanceOf(MobilenetError);
  expect((error as MobilenetError).code).toBe(code);
  for (const text of texts) expect((error as MobilenetError).message).toMatch(text);
  expect(footprint()).toEqual(before);
}

/** All that a leak would show in. */
export function footprint() {
  const { numTensors, numDataBuffers, numBytes } = memory();
  return { numTensors, numDataBuffers, numBytes, variables: Object.keys(engine().registeredVariables).length };
}

/** Runs `action` with the address of a server on this machine. */
export async function withServer<T>(listener: RequestListener, action: (url: string) => Promise<T>): Promise<T> {
  const server = createServer(listener);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  try {
    return await action(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  } finally {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
}

/** Serves the files of a folder. */
export function folderListener(folder: string): RequestListener {
  return async (request, response) => {
    const { pathname } = new URL(request.url!, 'http://127.0.0.1');
    try {
      response.end(await readFile(join(folder, pathname)));
    } catch {
      response.writeHead(404).end('<html>not here</html>');
    }
  };
}
