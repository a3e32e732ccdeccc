import { isObject } from '../../io/checkArtifacts';
import { refuse } from '../../io/refuse';
import { type PaddingStyle, paddingStyles } from '../../model/architecture';
import { type FileMetadata, METADATA_KEY, readMetadata } from '../fileMetadata';

/** What our files say beside their tensors, as JSON under {@link METADATA_KEY}. */
export interface OwnMetadata extends FileMetadata {
  /** The names of all layers that have weights, from the input to the output, where the tensors' own do not tell. */
  readonly layers?: readonly string[] | undefined;
  /** Of the batch norms among them. */
  readonly epsilons: readonly number[];
  /** Of every kernel, rows before columns; those of a dense layer are 1. Older files have none. */
  readonly strides?: readonly (readonly number[])[] | undefined;
  /** Likewise, where any is not 1. */
  readonly dilations?: readonly (readonly number[])[] | undefined;
  /** How the network pads, where it is in one of the styles. */
  readonly padding?: PaddingStyle | undefined;
}

/**
 * What the metadata of a safetensors file says, if it is one of ours.
 *
 * @throws {MobilenetError} `invalid-data` where it is damaged
 */
export function readOwnMetadata(where: string, metadata: Readonly<Record<string, string>>): OwnMetadata | undefined {
  const text = metadata[METADATA_KEY];
  if (text === undefined) return undefined;
  const json = parse(where, text);
  const { layers, epsilons, strides, dilations, padding } = isObject(json) ? json : {};
  const style = paddingStyles.find((one) => one === padding);
  if (
    (layers !== undefined && !isListOf(layers, isText)) ||
    !isListOf(epsilons, isSize) ||
    (strides !== undefined && !isListOf(strides, isPair)) ||
    (dilations !== undefined && !isListOf(dilations, isPair)) ||
    (padding !== undefined && !style)
  ) {
    refuse(
      where,
      `layers, epsilons, strides, dilations and padding under ${METADATA_KEY} of the metadata`,
      text.slice(0, 200),
    );
  }
  return { ...readMetadata(json), layers, epsilons, strides, dilations, padding: style };
}

export function writeOwnMetadata(metadata: OwnMetadata): Record<string, string> {
  return { [METADATA_KEY]: JSON.stringify(metadata) };
}

function parse(where: string, text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    refuse(where, `JSON under ${METADATA_KEY} of the metadata`, (error as Error).message, undefined, error);
  }
}

function isListOf<T>(value: unknown, isItem: (item: unknown) => item is T): value is T[] {
  return Array.isArray(value) && value.every(isItem);
}

function isText(value: unknown): value is string {
  return typeof value === 'string';
}

function isPair(value: unknown): value is number[] {
  return isListOf(value, isSize) && value.length === 2;
}

function isSize(value: unknown): value is number {
  return typeof value === 'number' && value >= 0 && Number.isFinite(value);
}
