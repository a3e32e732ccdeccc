import { channelRange, type InputRange } from '../inputRange';
import type { ThreadContext } from './context';
import type { TrainingPlan } from './plan';

/** A batch as the first thread gets it; `[images,H,W,C]` of the plan's size. */
export interface Pictures {
  readonly pictures: Uint8Array | Float32Array;
  readonly labels?: Int32Array;
  readonly targets?: Float32Array;
}

/** What a training can be gone on with, as it lies in memory. */
export interface PackedState {
  readonly weights: Float32Array;
  /** As many as the optimizer keeps of each trainable weight. */
  readonly slots: readonly Float32Array[];
  /** Undefined where none is kept. */
  readonly average: Float32Array | undefined;
}

/** Writes what a plan needs before its first step. */
export function initMemory(
  memory: WebAssembly.Memory,
  plan: TrainingPlan,
  { weights, inputRange }: { weights: Float32Array; inputRange: InputRange },
): void {
  const { channels } = plan.graph.input;
  const factors = new Float64Array(memory.buffer, plan.factors, channels);
  const shifts = new Float64Array(memory.buffer, plan.shifts, channels);
  for (let c = 0; c < channels; c++) {
    const [low, high] = channelRange(inputRange, c);
    factors[c] = (high - low) / 255;
    shifts[c] = low;
  }
  for (const { offset, floats } of plan.ones) floatsAt(memory, offset, floats).fill(1);
  writeWeights(memory, plan, weights);
  if (plan.average) floatsAt(memory, plan.average, weights.length).set(weights);
}

/** Puts a batch into its place. Pictures of floats go to where the first stage reads them, their channels padded. */
export function writeBatch(memory: WebAssembly.Memory, plan: TrainingPlan, batch: Pictures): void {
  const { pictures, labels, targets } = batch;
  if (pictures instanceof Uint8Array) new Uint8Array(memory.buffer).set(pictures, plan.pictures);
  else writeFloats(memory, plan, pictures);
  if (labels) new Int32Array(memory.buffer, plan.labels).set(labels);
  if (targets) floatsAt(memory, plan.targets, targets.length).set(targets);
}

function writeFloats(memory: WebAssembly.Memory, { input, graph }: TrainingPlan, pictures: Float32Array): void {
  const { channels } = graph.input;
  const pixels = pictures.length / channels;
  const values = floatsAt(memory, input.z, pixels * input.channels);
  if (channels === input.channels) {
    values.set(pictures);
    return;
  }
  // A picture of another size may have left other numbers in the padding.
  values.fill(0);
  for (let p = 0; p < pixels; p++) {
    for (let c = 0; c < channels; c++) values[p * input.channels + c] = pictures[p * channels + c]!;
  }
}

/** Loss and correct answers of the batch that was scored last. */
export function readScores(memory: WebAssembly.Memory, plan: TrainingPlan, images: number) {
  const losses = new Float64Array(memory.buffer, plan.losses, images);
  const correct = new Int32Array(memory.buffer, plan.correct, images);
  return {
    loss: losses.reduce((sum, value) => sum + value, 0) / images,
    correct: correct.reduce((sum, value) => sum + value, 0),
  };
}

/** A copy of what the next step depends on. */
export function readPackedState(memory: WebAssembly.Memory, { plan, weights }: ThreadContext): PackedState {
  const { floats, trainableFloats } = plan.weights;
  return {
    weights: floatsAt(memory, weights, floats).slice(),
    slots: plan.optimizerStates.map((offset) => floatsAt(memory, offset, trainableFloats).slice()),
    average: plan.average ? floatsAt(memory, plan.average, floats).slice() : undefined,
  };
}

/** The way back of {@link readPackedState}, into both copies of the weights. */
export function writePackedState(memory: WebAssembly.Memory, plan: TrainingPlan, state: PackedState): void {
  writeWeights(memory, plan, state.weights);
  state.slots.forEach((slot, i) => {
    floatsAt(memory, plan.optimizerStates[i]!, slot.length).set(slot);
  });
  if (state.average) floatsAt(memory, plan.average, state.average.length).set(state.average);
}

function writeWeights(memory: WebAssembly.Memory, plan: TrainingPlan, weights: Float32Array): void {
  for (const copy of plan.weightCopies) floatsAt(memory, copy, weights.length).set(weights);
}

const floatsAt = ({ buffer }: WebAssembly.Memory, offset: number, floats: number) =>
  new Float32Array(buffer, offset, floats);
