import { type FileUnit, type KernelWeights, type ModelUnit, withoutBackground } from './fitUnit';

/**
 * What becomes of the classifier at the end of a file.
 *
 * - `'load'`: it goes into the model's, which has as many classes.
 * - `'skip'`: the model keeps its own, or has none; the file's is left out where there is one.
 * - `'dropBackground'`: the model gets all outputs but the first, which TF-slim has for the background (1000 of 1001); a
 *   file without one output more than the model is refused.
 */
export type HeadChoice = 'load' | 'skip' | 'dropBackground';

/** The units of both sides that belong together, and the model's that keep their weights. */
export interface Sides {
  readonly model: readonly ModelUnit[];
  readonly file: readonly FileUnit[];
  readonly kept: readonly ModelUnit[];
}

/** @param hasHead whether the model's last unit is its classifier */
export function chooseHead(
  model: readonly ModelUnit[],
  file: readonly FileUnit[],
  hasHead: boolean,
  head: HeadChoice,
): Sides {
  if (head === 'skip') {
    const body = hasHead ? model.slice(0, -1) : model;
    const isWhole = file.length === body.length + 1 && isClassifier(file.at(-1));
    return { model: body, file: isWhole ? file.slice(0, -1) : file, kept: model.slice(body.length) };
  }
  const classifier = head === 'dropBackground' && hasBackground(model, file, hasHead) ? file.at(-1)?.kernel : undefined;
  const last = classifier && { kernel: withoutBackground(classifier), norm: undefined };
  return { model, file: last ? [...file.slice(0, -1), last] : file, kept: [] };
}

/** What to do where the two sides differ in nothing but their heads; undefined where there is more. */
export function headRemedy(
  model: readonly ModelUnit[],
  file: readonly FileUnit[],
  hasHead: boolean,
): string | undefined {
  const body = hasHead ? model.length - 1 : model.length;
  if (hasHead && file.length === body) return "The file has no top: pass { head: 'skip' } to keep the model's own.";
  const isWhole = file.length === body + 1 && isClassifier(file.at(-1));
  if (!isWhole) return undefined;
  if (!hasHead) return "The model has no top: pass { head: 'skip' } to leave the file's out.";
  const skip = "pass { head: 'skip' } to keep the model's own head";
  if (!hasBackground(model, file, hasHead)) return `The file has other classes: ${skip}.`;
  return `The file may have a class for the background: pass { head: 'dropBackground' } to leave it out, or ${skip}.`;
}

/** Whether the file's classifier has one output more than the model's. */
export function hasBackground(model: readonly ModelUnit[], file: readonly FileUnit[], hasHead: boolean): boolean {
  const own = hasHead ? model.at(-1)?.kernel?.kernel.shape.at(-1) : undefined;
  const last = file.at(-1);
  return isClassifier(last) && typeof own === 'number' && classesOf(last.kernel) === own + 1;
}

/** Whether a unit is a dense layer, or a convolution that is one, with no batch norm behind it. */
export function isClassifier<Unit extends FileUnit | ModelUnit>(
  unit: Unit | undefined,
): unit is Unit & { readonly kernel: NonNullable<Unit['kernel']> } {
  if (!unit?.kernel || unit.norm) return false;
  const { kind, kernel } = unit.kernel;
  return kind === 'dense' || (kind === 'conv' && kernel.shape[0] === 1 && kernel.shape[1] === 1);
}

function classesOf({ kernel }: KernelWeights): number {
  return kernel.shape.at(-1)!;
}
