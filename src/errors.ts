/** What kind of thing went wrong; stable, so that an app can branch on it. */
export type MobilenetErrorCode =
  /** An option or argument is out of range or of the wrong type. */
  | 'invalid-argument'
  /** Bytes that came in (dataset, archive, model file) are not what they claim to be. */
  | 'invalid-data'
  /** A download failed, or its server answered with an error. */
  | 'download-failed'
  /** A file could not be read or written. */
  | 'file-system'
  /** A tfjs backend or package that is needed is missing. */
  | 'missing-backend'
  /** Two copies of tfjs-core were loaded, which do not know each other's classes. */
  | 'duplicate-tfjs'
  /** The backend has no room for what a kernel needs. */
  | 'out-of-memory'
  /** A thread of the engine could not start, or ended before its work. */
  | 'engine-failed'
  /** The loss or a weight became NaN or infinite during training. */
  | 'non-finite'
  /** A classifier was used after, or while, it was disposed of. */
  | 'disposed';

/**
 * The one error class of this library. The message says what was expected, what came, and how to mend it.
 *
 * @example
 * ```ts
 * try {
 *   mobilenetV1({ alpha: -1 });
 * } catch (error) {
 *   if (error instanceof MobilenetError) console.log(error.code); // 'invalid-argument'
 * }
 * ```
 */
export class MobilenetError extends Error {
  override readonly name = 'MobilenetError';

  constructor(
    readonly code: MobilenetErrorCode,
    message: string,
    options?: { cause?: unknown },
  ) {
    super(message, options);
  }
}

/** Options for {@link fail}. */
export interface FailOptions {
  code: MobilenetErrorCode;
  /** Who complains: the public function's name, or a file's path. */
  where: string;
  expected: string;
  received: unknown;
  /** What the reader should do; a sentence. */
  remedy?: string;
  cause?: unknown;
}

/** A {@link MobilenetError} worded "where: expected ..., received .... remedy", for a promise to be rejected with. */
export function failure({ code, where, expected, received, remedy, cause }: FailOptions): MobilenetError {
  const mend = remedy === undefined ? '' : ` ${remedy}`;
  return new MobilenetError(code, `${where}: expected ${expected}, received ${show(received)}.${mend}`, { cause });
}

/** Throws {@link failure}. */
export function fail(options: FailOptions): never {
  throw failure(options);
}

/** Throws `invalid-argument` unless `condition` holds. */
export function check(condition: boolean, options: Omit<FailOptions, 'code'>): asserts condition {
  if (!condition) fail({ code: 'invalid-argument', ...options });
}

/** Throws `invalid-argument` unless `value` is an integer of at least `minimum`. */
export function checkInteger(where: string, name: string, value: unknown, minimum: number): asserts value is number {
  check(Number.isInteger(value) && (value as number) >= minimum, {
    where,
    expected: `${name} to be an integer of at least ${minimum}`,
    received: quoted(value),
  });
}

/** What an option must be before anything is done with it, in words. */
const KINDS = {
  /** It is looked at where it is used. */
  any: '',
  boolean: 'true or false',
  number: 'a number',
  string: 'a string',
  function: 'a function',
  object: 'an object',
  list: 'a list',
  signal: 'an AbortSignal',
};

export type OptionKind = keyof typeof KINDS;

function isOfKind(kind: OptionKind, value: unknown): boolean {
  if (kind === 'object') return isObject(value);
  if (kind === 'list') return Array.isArray(value);
  if (kind === 'signal') return isObject(value) && 'throwIfAborted' in value;
  return kind === 'any' || typeof value === kind;
}

/**
 * Throws `invalid-argument` unless these are options, all of which there are, and which are of the right kind. What is
 * undefined counts as left out.
 *
 * @param name what the options are called
 */
export function checkOptions<Options extends object>(
  where: string,
  options: Options,
  kinds: Record<keyof Options, OptionKind>,
  name = 'options',
): void {
  const expected = `${name} to be an object with only ${Object.keys(kinds).join(', ')}`;
  check(isObject(options), { where, expected, received: quoted(options) });
  const given = Object.entries(options).filter(([, value]) => value !== undefined);
  const unknown = given.flatMap(([key]) => (Object.hasOwn(kinds, key) ? [] : [quoted(key)]));
  check(unknown.length === 0, { where, expected, received: unknown.join(', ') });
  for (const [key, value] of given) {
    const kind = kinds[key as keyof Options];
    check(isOfKind(kind, value), { where, expected: `${key} to be ${KINDS[kind]}`, received: quoted(value) });
  }
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Promise);
}

/** A value as it is told: of strings that they are some. */
export function quoted(value: unknown): unknown {
  return typeof value === 'string' ? `'${value}'` : value;
}

/** JSON has null for NaN and infinity. */
const json = (value: object) =>
  JSON.stringify(value, (_, entry) => (Number.isFinite(entry) || typeof entry !== 'number' ? entry : String(entry)));

function show(value: unknown): string {
  if (typeof value === 'function') return 'a function';
  if (value instanceof Promise) return 'a promise, which is to be awaited';
  if (typeof value !== 'object' || value === null) return String(value);
  if (Array.isArray(value)) return json(value);
  const className = value.constructor?.name;
  if (className !== 'Object') return `an object of class ${className}`;
  // A dataset's values are megabytes.
  const isFlat = Object.values(value).every((entry) => typeof entry !== 'object');
  return isFlat ? json(value) : `an object of ${Object.keys(value).join(', ')}`;
}
