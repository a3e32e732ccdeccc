import { type Activation, describeActivation, isLinear } from './activation';
import type { FileUnit, ModelUnit } from './fitUnit';

/** As many differences as one can read. */
const LISTED = 10;

/** A layer of the model and one of the file that do not fit each other; undefined where one side has no more. */
export type Mismatch = readonly [model: ModelUnit | undefined, file: FileUnit | undefined];

/** "2 that differ: conv1 (conv [3,3,3,8], batch norm) from stem (conv [3,3,3,16], batch norm); ..." */
export function describeMismatches(mismatches: readonly Mismatch[]): string {
  const lines = mismatches.slice(0, LISTED).map(([model, file]) => {
    if (model === undefined) return `the model has none for ${describeFile(file)}`;
    if (file === undefined) return `the file has none for ${describeModel(model)}`;
    return `${describeModel(model)} is not ${describeFile(file)}`;
  });
  const more = mismatches.length - lines.length;
  return `${lines.join('; ')}${more > 0 ? `; and ${more} more` : ''}`;
}

function describeModel({ kernel, norm }: ModelUnit): string {
  if (!kernel) return describe(norm?.name, 'batch norm', norm?.movingMean.shape, []);
  return describe(kernel.name, kernel.kind, kernel.kernel.shape, partsOf(kernel, norm));
}

function describeFile(unit: FileUnit | undefined): string {
  if (!unit?.kernel) return describe(unit?.norm?.name, 'batch norm', unit?.norm?.movingMean.shape, []);
  const { name, kind, kernel } = unit.kernel;
  return describe(name, kind, kernel.shape, partsOf(unit.kernel, unit.norm));
}

interface Parts {
  readonly bias?: unknown;
  readonly activation?: Activation | undefined;
}

/** An activation is named where a batch norm stands behind it. */
function partsOf({ bias, activation }: Parts, norm: unknown): (string | undefined)[] {
  const isBetween = norm !== undefined && activation !== undefined && !isLinear(activation);
  return [
    bias ? 'bias' : undefined,
    isBetween ? describeActivation(activation) : undefined,
    norm ? 'batch norm' : undefined,
  ];
}

type Shape = readonly (number | null)[] | undefined;

function describe(
  name: string | undefined,
  kind: string,
  shape: Shape,
  parts: readonly (string | undefined)[],
): string {
  return `${name} (${[`${kind} [${shape}]`, ...parts.filter(Boolean)].join(', ')})`;
}
