import { dispose, engine, io, type Tensor, tensor, tidy, util } from '@tensorflow/tfjs-core';
import { type LayersModel, type LayerVariable, type ModelAndWeightsConfig, models } from '@tensorflow/tfjs-layers';
import { backendReady } from '../backend';
import type { CheckedArtifacts, WeightSpec } from './checkArtifacts';
import { channelCount, decodeInt8, isInt8 } from './int8Weight';
import { refuse } from './refuse';
import { splitWeights } from './splitWeights';

/**
 * Makes the model that the artifacts describe; where that fails, no tensor stays behind.
 *
 * tfjs's own `loadLayersModel` keeps the model's variables and the decoded weights when it throws.
 *
 * @throws {MobilenetError} `invalid-data`, `missing-backend`
 */
export async function buildModel(artifacts: CheckedArtifacts): Promise<LayersModel> {
  await backendReady(artifacts.where);
  const model = await buildTopology(artifacts);
  try {
    assignWeights(model, artifacts);
    if (artifacts.userDefinedMetadata) model.setUserDefinedMetadata(artifacts.userDefinedMetadata);
    return model;
  } catch (error) {
    model.dispose();
    throw error;
  }
}

async function buildTopology({ where, modelTopology }: CheckedArtifacts): Promise<LayersModel> {
  const before = new Set(Object.values(engine().registeredVariables));
  let building: Promise<LayersModel> | undefined;
  // modelFromJSON makes every tensor before it returns its promise, so that nobody else's are among the new ones.
  tidy(() => {
    building = models.modelFromJSON({ modelTopology: modelTopology as ModelAndWeightsConfig['modelTopology'] });
  });
  const made = Object.values(engine().registeredVariables).filter((variable) => !before.has(variable));
  try {
    return await building!;
  } catch (error) {
    dispose(made);
    refuse(
      where,
      'a topology that tfjs-layers can build',
      // tfjs's first sentence says it all; the cause holds the others.
      (error as Error).message.split(/\.\s|\n/)[0],
      'Layer classes of your own must be registered with serialization.registerClass first.',
      error,
    );
  }
}

function assignWeights(model: LayersModel, { where, weightSpecs, weightData }: CheckedArtifacts): void {
  const variables = matchWeights(where, model, weightSpecs);
  for (const [spec, bytes] of splitWeights(where, weightSpecs, weightData)) {
    const variable = variables.get(spec);
    if (variable) tidy(() => void variable.write(decodeWeight(where, spec, bytes)));
  }
}

function decodeWeight(where: string, { quantization, ...spec }: WeightSpec, bytes: ArrayBuffer): Tensor {
  const { name, shape } = spec;
  if (isInt8(quantization)) {
    return tensor(decodeInt8(where, name, bytes, channelCount(shape, quantization.channelAxes)), shape);
  }
  // tfjs takes an entry for quantised where the key is there, though it be undefined.
  return io.decodeWeights(bytes, [quantization === undefined ? spec : { ...spec, quantization }])[name]!;
}

/** The variable of each weight in the manifest; the optimizer's weights have none. */
function matchWeights(where: string, model: LayersModel, specs: readonly WeightSpec[]): Map<WeightSpec, LayerVariable> {
  const variables = model.layers.flatMap((layer) => layer.weights);
  const missing = new Map(variables.map((variable) => [variable.originalName, variable]));
  const matched = new Map<WeightSpec, LayerVariable>();
  for (const spec of specs) {
    const { name, shape, dtype, group } = spec;
    if (group === 'optimizer') continue;
    const target = missing.has(name) ? name : withoutCell(name);
    const variable = missing.get(target);
    if (variable === undefined) {
      refuse(where, 'each weight once, and no other than those of its layers', `weight ${name}`, MISMATCH);
    }
    if (!util.arraysEqual(shape, variable.shape as number[]) || dtype !== variable.dtype) {
      refuse(where, `${variable.dtype} [${variable.shape}] for weight ${name}`, `${dtype} [${shape}]`, MISMATCH);
    }
    missing.delete(target);
    matched.set(spec, variable);
  }
  if (matched.size < variables.length) {
    const received = `none for ${[...missing.keys()].join(', ')}`;
    refuse(where, `values for all ${variables.length} weights`, received, MISMATCH);
  }
  return matched;
}

const MISMATCH = 'The weightsManifest does not belong to this modelTopology: save or convert the model anew.';

/** TensorFlow from 2.2 on puts a recurrent layer's cell between the names of layer and weight; tfjs does not. */
function withoutCell(name: string): string {
  const parts = name.split('/');
  return [...parts.slice(0, -2), ...parts.slice(-1)].join('/');
}
