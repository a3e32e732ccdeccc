// One training step through tfjs's automatic differentiation, from a given state, on whatever backend is active.
import {
  dispose,
  keep,
  mul,
  type Optimizer,
  scalar,
  type Tensor2D,
  tensor,
  train,
  type Variable,
  variableGrads,
} from '@tensorflow/tfjs-core';
import type { LayersModel } from '@tensorflow/tfjs-layers';
import { outputKindOf } from '../../src/graph/outputKind';
import { crossEntropy, scoreBatch } from '../../src/train/classificationLoss';
import { enterTrainingMode } from '../../src/train/trainingMode';
import { dropoutLayers, weightsOf, writeWeights } from './models';
import type { ReferenceBatch } from './reference';
import { softTargets } from './referenceLoss';
import { freshOptimizerState, type OptimizerSpec, type OptimizerState, slotCounts } from './referenceOptimizers';

/** What {@link tfjsStep} needs beside the model and the batch. */
export interface TfjsStepOptions {
  optimizer: OptimizerSpec;
  /** @default before the first step */
  state?: OptimizerState;
  /** Weights that decay, by index. @default none */
  decayed?: ReadonlySet<number>;
}

/** A step's outcome, as the reference words it; moving averages stand among the weights. */
export interface TfjsStep {
  loss: number;
  correct: number;
  gradients: Map<number, Float64Array>;
  weights: Float64Array[];
}

/** Takes a step and puts the model's weights back. */
export async function tfjsStep(model: LayersModel, batch: ReferenceBatch, options: TfjsStepOptions): Promise<TfjsStep> {
  const before = weightsOf(model);
  const { loss, correct, grads } = await gradientsOf(model, batch);
  const gradients = new Map<number, Float64Array>();
  model.weights.forEach((weight, index) => {
    const gradient = grads[(weight.read() as Variable).name];
    if (gradient) gradients.set(index, Float64Array.from(gradient.dataSync()));
  });
  decay(model, options);
  const optimizer = await createOptimizer(options.optimizer, options.state ?? freshOptimizerState, gradients, model);
  optimizer.applyGradients(grads);
  const weights = weightsOf(model);
  optimizer.dispose();
  dispose(grads);
  writeWeights(model, before);
  return { loss, correct, gradients, weights };
}

/** Loss and gradients by the variable's name; moves the averages of batch norm. */
async function gradientsOf(model: LayersModel, batch: ReferenceBatch) {
  const mode = enterTrainingMode(model);
  const restoreDropout = giveMasks(model, batch);
  const { images, targets } = toTensors(model, batch);
  const outputKind = outputKindOf('tfjsStep', model);
  let output: Tensor2D | undefined;
  try {
    const { value, grads } = variableGrads(
      () => {
        output = keep(model.apply(images, { training: true }) as Tensor2D);
        return crossEntropy(targets, output, outputKind);
      },
      model.trainableWeights.map((weight) => weight.read() as Variable),
    );
    const [loss] = await value.data();
    const [, classes] = output!.shape;
    const { predictions } = scoreBatch(await output!.data(), batch.labels, classes, outputKind);
    const correct = predictions.filter((k, i) => k === batch.labels[i]).length;
    value.dispose();
    return { loss: loss!, correct, grads };
  } finally {
    dispose([images, targets, output!]);
    restoreDropout();
    mode.restore();
  }
}

function toTensors(model: LayersModel, { images, labels, ...batch }: ReferenceBatch) {
  const classes = model.outputs[0]!.shape.at(-1)!;
  const n = labels.length;
  const targets = Float32Array.from(batch.targets ?? softTargets(labels, classes));
  const shape = [n, ...(model.inputs[0]!.shape.slice(1) as number[])];
  return { images: tensor(Float32Array.from(images), shape), targets: tensor(targets, [n, classes]) as Tensor2D };
}

/** Makes each dropout layer multiply by its mask; returns what undoes that. */
function giveMasks(model: LayersModel, { labels, dropoutMasks }: ReferenceBatch): () => void {
  const undo = dropoutLayers(model).map(({ layer, inputShape }, index) => {
    const mask = dropoutMasks?.[index];
    if (!mask) return () => {};
    const factors = keep(tensor(Float32Array.from(mask), [labels.length, ...inputShape]));
    layer.call = (inputs) => mul(Array.isArray(inputs) ? inputs[0]! : inputs, factors);
    return () => {
      Reflect.deleteProperty(layer, 'call');
      factors.dispose();
    };
  });
  return () => {
    for (const put of undo) put();
  };
}

function decay(model: LayersModel, { optimizer, decayed = new Set() }: TfjsStepOptions): void {
  const keptShare = 1 - optimizer.learningRate * (optimizer.weightDecay ?? 0);
  model.weights.forEach((weight, index) => {
    if (!decayed.has(index) || !weight.trainable) return;
    const values = mul(weight.read(), keptShare);
    weight.write(values);
    values.dispose();
  });
}

/** tfjs's optimizer, its state set to the given one. */
async function createOptimizer(
  spec: OptimizerSpec,
  { step, slots }: OptimizerState,
  gradients: Map<number, Float64Array>,
  model: LayersModel,
): Promise<Optimizer> {
  const optimizer = construct(spec);
  if (spec.kind === 'sgd' || step === 0) return optimizer;
  const values = Array.from({ length: slotCounts[spec.kind] }, (_, slot) =>
    [...gradients].map(([index, gradient]) => ({
      name: `${index}/${slot}`,
      tensor: tensor(
        Float32Array.from(slots.get(index)?.[slot] ?? new Float32Array(gradient.length)),
        model.weights[index]!.shape as number[],
      ),
    })),
  ).flat();
  await optimizer.setWeights([{ name: 'iter', tensor: scalar(step, 'int32') }, ...values]);
  dispose(values.map(({ tensor }) => tensor));
  return optimizer;
}

function construct(spec: OptimizerSpec): Optimizer {
  switch (spec.kind) {
    case 'sgd':
      return train.sgd(spec.learningRate);
    case 'momentum':
      return train.momentum(spec.learningRate, spec.momentum, spec.nesterov ?? true);
    case 'rmsprop':
      return train.rmsprop(spec.learningRate, spec.decay, spec.momentum ?? 0, spec.epsilon);
    default:
      return train.adam(spec.learningRate, spec.beta1, spec.beta2, spec.epsilon);
  }
}
