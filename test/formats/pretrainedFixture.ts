import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { LayersModel } from '@tensorflow/tfjs-layers';
import { exportKeras } from '../../src/formats/exportKeras';
import { type PretrainedNetwork, pretrainedFamilies } from '../../src/formats/pretrained/pretrainedNetworks';
import { writeSafetensors } from '../../src/io/safetensors';
import { saveModel } from '../../src/io/saveModel';
import { mobilenetV1 } from '../../src/model/mobilenetV1';
import { createRandom } from '../../src/random';
import { randomizeWeights } from '../graph/chains';

/** A network as its source pads it, with random weights in the place of the published ones. */
export function randomNetwork({ source, alpha, resolution }: PretrainedNetwork, includeTop = true): LayersModel {
  const { padding, batchNormEpsilon } = pretrainedFamilies[source];
  const inputShape = [resolution, resolution, 3] as const;
  const model = mobilenetV1({ alpha, inputShape, padding, batchNormEpsilon, includeTop, seed: 1 });
  randomizeWeights(model, createRandom(1));
  return model;
}

/** Of one network, the files that its public address has, by their paths on the server. */
export async function publicFiles(
  network: PretrainedNetwork,
  model: LayersModel,
  includeTop = true,
): Promise<Map<string, Uint8Array>> {
  const { pathname } = new URL(pretrainedFamilies[network.source].urlOf(network, includeTop));
  if (network.source === 'keras') return new Map([[pathname, await exportKeras(model, { format: 'h5' })]]);
  if (network.source === 'timm') return new Map([[pathname, timmFile(model)]]);
  const folder = await mkdtemp(join(tmpdir(), 'mobilenet-tfjs-'));
  try {
    await saveModel(model, folder);
    const base = pathname.replace(/[^/]*$/, '');
    const names = await readdir(folder);
    return new Map(
      await Promise.all(
        names.map(async (name) => [base + name, await readFile(join(folder, name))] as [string, Uint8Array]),
      ),
    );
  } finally {
    await rm(folder, { recursive: true });
  }
}

/** timm's stages, and how many blocks each has. */
const STAGES = [1, 2, 2, 6, 2];

/** As timm saves its `mobilenetv1_*`: names of its modules, kernels as `[F,C,KH,KW]`. */
function timmFile(model: LayersModel): Uint8Array<ArrayBuffer> {
  const tensors = new Map<string, { shape: number[]; data: Float32Array }>();
  const valuesOf = (name: string) => {
    const weight = model.weights.find(({ originalName }) => originalName === name)!;
    return { shape: weight.shape as number[], data: weight.read().dataSync() as Float32Array };
  };
  const addNorm = (name: string, to: string) => {
    for (const [own, theirs] of NORM_NAMES) tensors.set(`${to}.${theirs}`, valuesOf(`${name}/${own}`));
    tensors.set(`${to}.num_batches_tracked`, { shape: [], data: Float32Array.of(0) });
  };
  const addConv = (name: string, to: string) => {
    const isDepthwise = name.startsWith('conv_dw');
    const { shape, data } = valuesOf(`${name}/${isDepthwise ? 'depthwise_kernel' : 'kernel'}`);
    const [height, width, inputs, outputs] = shape as [number, number, number, number];
    const [filters, channels] = isDepthwise ? [inputs, outputs] : [outputs, inputs];
    const values = new Float32Array(data.length);
    for (let f = 0, at = 0; f < filters; f++)
      for (let c = 0; c < channels; c++)
        for (let pixel = 0; pixel < height * width; pixel++)
          values[at++] = data[(pixel * inputs + (isDepthwise ? f : c)) * outputs + (isDepthwise ? c : f)]!;
    tensors.set(`${to}.weight`, { shape: [filters, channels, height, width], data: values });
  };
  addConv('conv1', 'conv_stem');
  addNorm('conv1_bn', 'bn1');
  let block = 1;
  for (const [stage, blocks] of STAGES.entries()) {
    for (let i = 0; i < blocks; i++, block++) {
      const to = `blocks.${stage}.${i}`;
      addConv(`conv_dw_${block}`, `${to}.conv_dw`);
      addNorm(`conv_dw_${block}_bn`, `${to}.bn1`);
      addConv(`conv_pw_${block}`, `${to}.conv_pw`);
      addNorm(`conv_pw_${block}_bn`, `${to}.bn2`);
    }
  }
  addConv('conv_preds', 'classifier');
  const classifier = tensors.get('classifier.weight')!;
  tensors.set('classifier.weight', { ...classifier, shape: classifier.shape.slice(0, 2) });
  tensors.set('classifier.bias', valuesOf('conv_preds/bias'));
  return writeSafetensors(tensors, { format: 'pt' });
}

const NORM_NAMES = [
  ['gamma', 'weight'],
  ['beta', 'bias'],
  ['moving_mean', 'running_mean'],
  ['moving_variance', 'running_var'],
] as const;
