import { dispose, engine, io, type Tensor, tensor, tidy, util } from '@tensorflow/tfjs-core';
import { LayersModel, type LayerVariable, type ModelAndWeightsConfig, models } from '@tensorflow/tfjs-layers';
import { backendReady } from '../backend';
import { type CheckedArtifacts, sum, type WeightSpec } from './checkArtifacts';
import { decodeFloats } from './decodeFloats';
import { isInt8 } from './int8Weight';
import { limitWeights } from './limitWeights';
import { normalizeTopology } from './normalizeTopology';
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
    // Not by the model, which would leave a layer that is called twice for its other user.
    dispose(model.weights.map((weight) => weight.read()));
    throw error;
  }
}

async function buildTopology({ where, modelTopology, weightSpecs }: CheckedArtifacts): Promise<LayersModel> {
  const normal = normalizeTopology(where, modelTopology);
  const values = sum(weightSpecs.map(({ shape }) => util.sizeFromShape(shape)));
  // Room enough for a file that lacks some weights, so that it can be said which.
  const limit = 2 * values + 1e6;
  const before = new Set(Object.values(engine().registeredVariables));
  let building: Promise<LayersModel> | undefined;
  // modelFromJSON makes every tensor before it returns its promise, so that nobody else's are among the new ones.
  tidy(() => {
    const topology = normal as ModelAndWeightsConfig['modelTopology'];
    building = limitWeights(limit, () => models.modelFromJSON({ modelTopology: topology }));
  });
  const made = Object.values(engine().registeredVariables).filter((variable) => !before.has(variable));
  try {
    const model: unknown = await building;
    // tfjs makes any layer that the topology says.
    if (!(model instanceof LayersModel)) throw new Error('It is a layer, and no model');
    const used = new Set<unknown>(model.weights.map((weight) => weight.read()));
    // Layers that are not on the way from an input to an output.
    dispose(made.filter((variable) => !used.has(variable)));
    return model;
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
  const { name, shape, dtype } = spec;
  if (dtype === 'float32') return tensor(decodeFloats(where, { ...spec, quantization }, bytes), shape);
  // tfjs takes an entry for quantised where the key is there, though it be undefined.
  const isPlain = quantization === undefined || isInt8(quantization);
  return io.decodeWeights(bytes, [isPlain ? spec : { ...spec, quantization }])[name]!;
}

/** The variable of each weight in the manifest; the optimizer's weights have none. */
function matchWeights(where: string, model: LayersModel, specs: readonly WeightSpec[]): Map<WeightSpec, LayerVariable> {
  const variables = model.layers.flatMap((layer) => layer.weights);
  const missing = new Map(variables.map((variable) => [variable.originalName, variable]));
  const matched = new Map<WeightSpec, LayerVariable>();
  for (const spec of specs) {
    const { name, shape, dtype, group } = spec;
    if (group === 'optimizer') continue;
    const target = candidates(name).find((candidate) => missing.has(candidate)) ?? name;
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

/**
 * What tfjs may call a weight of that name. TensorFlow from 2.2 on puts a recurrent layer's cell between the names of
 * layer and weight; Keras 3 puts the name of a Sequential model before them, and has another name for depthwise kernels.
 */
function candidates(name: string): string[] {
  const parts = name.split('/');
  const withoutCell = [...parts.slice(0, -2), ...parts.slice(-1)].join('/');
  const withoutModel = parts.slice(-2).join('/');
  return [name, withoutCell, withoutModel, withoutModel.replace(/\/kernel$/, '/depthwise_kernel')];
}
