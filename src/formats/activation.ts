/**
 * The functions of single values that stand behind a layer with weights, up to the next one, in their order; none for a
 * linear layer. What only moves values (pooling, padding, another shape) is left out.
 */
export type Activation = readonly ActivationStep[];

export type ActivationStep = Clamp | Levels | NamedFunction;

/** `min(max(x, low), high)`: ReLU6 from 0 to 6, ReLU from 0 to infinity. */
interface Clamp {
  readonly kind: 'clamp';
  readonly low: number;
  readonly high: number;
}

/**
 * The smallest and the largest value that a quantised result can hold. It limits as a clamp does, so that converters leave
 * out an activation of which nothing more can be seen: where a file names none, this stands alone.
 */
interface Levels {
  readonly kind: 'levels';
  readonly low: number;
  readonly high: number;
}

interface NamedFunction {
  readonly kind: 'function';
  /** In lower case, without underscores, its settings behind it: `tanh`, `leakyrelu(0.2)`. */
  readonly name: string;
}

/** Relative to a limit, or to 1 where that is larger: float16 rounds by half as much. */
const TOLERANCE = 1e-3;

const LARGEST_LIMIT = 1e30;

/** Of a function; a hostile file may have megabytes. */
const LONGEST_NAME = 100;

/** No network has so many behind a layer; a hostile file may have thousands, each of which would copy all before it. */
const MOST_STEPS = 20;

export const linear: Activation = [];
export const relu = clampStep(0, Number.POSITIVE_INFINITY);
export const relu6 = clampStep(0, 6);
export const softmax = functionStep('softmax');

export function clampStep(low: number, high: number): ActivationStep {
  return { kind: 'clamp', low: limit(low), high: limit(high) };
}

/** Some files have the largest float32 for no limit. */
function limit(value: number): number {
  return Math.abs(value) < LARGEST_LIMIT ? value : value * Number.POSITIVE_INFINITY;
}

/** @param name in any spelling, `hard_sigmoid` or `hardSigmoid` */
export function functionStep(name: string, ...settings: unknown[]): ActivationStep {
  const canonical = name.replaceAll('_', '').toLowerCase();
  // Files round settings to float32.
  const rounded = settings.map((value) => (typeof value === 'number' ? Number(value.toPrecision(6)) : value));
  const text = settings.length > 0 ? `${canonical}(${rounded.join(', ')})` : canonical;
  return { kind: 'function', name: text.slice(0, LONGEST_NAME) };
}

/** One more step; clamps that follow each other are one, and levels count only where no other step is named. */
export function followedBy(activation: Activation, step: ActivationStep): Activation {
  const last = activation.at(-1);
  if (step.kind === 'levels') return last ? activation : [step];
  if (last?.kind === 'levels') return [step];
  if (step.kind !== 'clamp' || last?.kind !== 'clamp') return [...activation, step].slice(0, MOST_STEPS);
  const clip = (value: number) => Math.min(Math.max(value, step.low), step.high);
  return [...activation.slice(0, -1), clampStep(clip(last.low), clip(last.high))];
}

/** Whether values come through unchanged, as far as the file says. */
export function isLinear(activation: Activation): boolean {
  return activation.every(({ kind }) => kind === 'levels');
}

/** Whether an activation is `min(max(x, 0), 6)`. */
export function isRelu6(activation: Activation | undefined): boolean {
  return activation !== undefined && sameActivation(activation, [relu6]);
}

/** Whether the file's activation is the model's. */
export function sameActivation(model: Activation, file: Activation): boolean {
  const [only] = file;
  if (only?.kind === 'levels') return holdsLevels(model, only);
  return model.length === file.length && model.every((step, i) => sameStep(step, file[i]!));
}

/** Whether nothing that a quantised result can hold lies outside of the model's clamp. */
function holdsLevels(model: Activation, { low, high }: Levels): boolean {
  return model.every(
    (step) =>
      step.kind === 'clamp' &&
      (low >= step.low || isNear(low, step.low)) &&
      (high <= step.high || isNear(high, step.high)),
  );
}

function sameStep(a: ActivationStep, b: ActivationStep): boolean {
  if (a.kind === 'function' || b.kind === 'function') {
    return a.kind === 'function' && b.kind === 'function' && a.name === b.name;
  }
  return isNear(a.low, b.low) && isNear(a.high, b.high);
}

function isNear(a: number, b: number): boolean {
  const difference = Math.abs(a - b);
  return a === b || (Number.isFinite(difference) && difference <= TOLERANCE * Math.max(1, Math.abs(b)));
}

/** "ReLU6", or "no activation". */
export function describeActivation(activation: Activation): string {
  return activation.map(describeStep).join(' and then ') || 'no activation';
}

function describeStep(step: ActivationStep): string {
  if (step.kind === 'function') return step.name;
  const { kind, low, high } = step;
  if (kind === 'levels') return `values from ${round(low)} to ${round(high)}`;
  if (low === 0 && high === 6) return 'ReLU6';
  if (low === 0 && high === Number.POSITIVE_INFINITY) return 'ReLU';
  return `a clamp from ${round(low)} to ${round(high)}`;
}

function round(value: number): number {
  return Number(value.toPrecision(4));
}
