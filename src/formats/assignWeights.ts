import { tensor, tidy } from '@tensorflow/tfjs-core';
import type { LayersModel } from '@tensorflow/tfjs-layers';
import { check, fail } from '../errors';
import type { Layer } from '../graph/layerChain';
import { findHead } from '../model/head';
import { checkActivations } from './checkActivations';
import { checkPadding } from './checkPadding';
import { checkStrides } from './checkStrides';
import { describeMismatches, type Mismatch } from './describeMismatches';
import { fitUnit, type KernelWeights, type ModelUnit, type NewValues } from './fitUnit';
import { chooseHead, type HeadChoice, hasBackground, headRemedy, isClassifier, type Sides } from './heads';
import { chainOf, type ModelBatchNorm, type ModelKernel, modelLayers } from './modelLayers';
import type { BatchNormWeights, NetworkWeights } from './networkWeights';
import { groupUnits } from './units';

/** Options for {@link assignWeights}. */
export interface AssignWeightsOptions {
  /**
   * What becomes of the classifier at the end of the file: `'load'` puts it into the model's; `'skip'` leaves the model
   * its own, for other classes or a file without a top; `'dropBackground'` loads all outputs but the first, the class
   * that TF-slim has for the background (1000 of 1001), and refuses a file that has no class more than the model.
   * @default 'load'
   */
  head?: HeadChoice | undefined;
  /**
   * Takes weights of a network that pads in another way. The maps are then shifted by a pixel here and there: good enough
   * to train further, not to classify.
   * @default false
   */
  ignorePadding?: boolean | undefined;
  /**
   * Takes weights of a network with other activations, such as ReLU where the model has ReLU6: good enough to train
   * further, not to classify.
   * @default false
   */
  ignoreActivations?: boolean | undefined;
  /**
   * Takes weights of a network with other strides, such as a stem of stride 2 where the model, for smaller pictures, has 1:
   * good enough to train further, not to classify.
   * @default false
   */
  ignoreStrides?: boolean | undefined;
}

/** Which layers of the model {@link assignWeights} has changed. */
export interface AssignedLayers {
  /** The names of the model's layers that got weights, from the input to the output. */
  readonly layers: readonly string[];
  /** The names of the model's layers that kept their own. */
  readonly skipped: readonly string[];
}

/**
 * Puts the weights of a file into a model that is a chain of layers: the n-th convolution or dense layer of the one is
 * the n-th of the other, whatever their names, and batch norms stand behind the same ones.
 *
 * What the two may differ in: a 1x1 convolution and a dense layer are one; where the file's batch norms were folded into
 * kernels and biases, those of the model become one that only adds the bias; a bias before a batch norm goes into its
 * mean; an epsilon other than the model's goes into gamma. The function stays the same, but for rounding; activations,
 * strides and padding must be the same as far as the file tells them.
 *
 * @throws {MobilenetError} `invalid-argument` where they differ in more than that, with a list of the layers; the model
 * is then as it was.
 */
export function assignWeights(
  model: LayersModel,
  weights: NetworkWeights,
  { head = 'load', ignorePadding = false, ignoreActivations = false, ignoreStrides = false }: AssignWeightsOptions = {},
): AssignedLayers {
  const { where } = weights;
  const chain = chainOf(where, model);
  const own = groupUnits<ModelKernel, ModelBatchNorm>(modelLayers(where, chain));
  const file = groupUnits<KernelWeights, BatchNormWeights>(weights.layers);
  const hasHead = endsInHead(model, findHead(model, chain)?.classifier, own.at(-1), head);
  const sides = chooseHead(own, file, hasHead, head);
  const newValues = fitAll(model, where, sides, () => headRemedy(own, file, hasHead));
  check(head !== 'dropBackground' || hasBackground(own, file, hasHead), {
    where,
    expected: "a file with one class more than the model, for { head: 'dropBackground' }",
    received: 'one that fits as it is',
    remedy: 'Leave head out; or where its first class is the background, build the model with one class less.',
  });
  if (!ignoreActivations) checkActivations(where, sides);
  if (!ignoreStrides) checkStrides(where, sides);
  if (weights.padding && !ignorePadding) checkPadding(where, model, chain, weights.padding);
  write(newValues);
  return { layers: sides.model.flatMap(namesOf), skipped: sides.kept.flatMap(namesOf) };
}

/** Whether the last unit is the model's classifier, or where that is to be skipped, one in its own way: with a sigmoid, say. */
function endsInHead(
  { outputs }: LayersModel,
  classifier: Layer | undefined,
  last: ModelUnit | undefined,
  head: HeadChoice,
): boolean {
  if (classifier) return last?.kernel?.layer === classifier;
  return head === 'skip' && isClassifier(last) && outputs[0]!.shape.length === 2;
}

/** @param remedyOfHead what to do where nothing but the last layers differ, if anything */
function fitAll(
  { name }: LayersModel,
  where: string,
  { model, file }: Sides,
  remedyOfHead: () => string | undefined,
): NewValues[] {
  const newValues: NewValues[] = [];
  const mismatches: Mismatch[] = [];
  const count = Math.max(model.length, file.length);
  let firstWrong = count;
  for (let i = 0; i < count; i++) {
    const [to, from] = [model[i], file[i]];
    const fitted = to && from && fitUnit(to, from);
    if (fitted) newValues.push(...fitted);
    else mismatches.push([to, from]);
    if (!fitted) firstWrong = Math.min(firstWrong, i);
  }
  if (mismatches.length === 0) return newValues;
  fail({
    code: 'invalid-argument',
    where,
    expected: `weights that fit the ${model.length} layers of model '${name}'`,
    received: `${file.length}, of which ${mismatches.length} differ: ${describeMismatches(mismatches)}`,
    remedy: (firstWrong === count - 1 ? remedyOfHead() : undefined) ?? OTHER_NETWORK,
  });
}

const OTHER_NETWORK = 'Build the network that the file is of, with the same alpha, depthMultiplier and channels.';

/** All tensors are made before the first weight changes, so that a backend without room leaves the model as it was. */
function write(newValues: readonly NewValues[]): void {
  tidy(() => {
    // Copies: tfjs's cpu backend keeps the array that it gets, which may be part of the user's bytes.
    const tensors = newValues.map(({ variable, values }) => tensor(values.slice(), variable.shape as number[]));
    newValues.forEach(({ variable }, i) => {
      variable.write(tensors[i]!);
    });
  });
}

function namesOf({ kernel, norm }: ModelUnit): string[] {
  return [kernel, norm].flatMap((layer) => layer?.name ?? []);
}
