import { platform } from '#platform';
import { isObject } from './checkArtifacts';
import { joinPath } from './paths';
import { refuse } from './refuse';
import { type Float32Values, readSafetensors } from './safetensors';

const FORMAT = 'mobilenet-v1-ts checkpoint';
const VERSION = 1;

const MANIFEST = 'checkpoint.json';
const STATE = 'state.safetensors';

const TORN = 'It was damaged after it was written, or not copied as a whole.';

/** What the manifest says of the file of tensors. */
interface StateFile {
  bytes: number;
  sha256: string;
}

/** What the manifest of a checkpoint says, but for its own digest. */
interface Manifest {
  step: number;
  state: StateFile;
  record: unknown;
}

/** The two files of a checkpoint, by name; the manifest is the last, and vouches for the state and for itself. */
export async function sealManifest(
  step: number,
  state: Uint8Array<ArrayBuffer>,
  record: unknown,
): Promise<Map<string, Uint8Array<ArrayBuffer> | string>> {
  const file: StateFile = { bytes: state.length, sha256: await digestOf(state) };
  const manifest = { format: FORMAT, version: VERSION, step, state: file, record };
  const sealed = { ...manifest, sha256: await digestOf(JSON.stringify(manifest)) };
  return new Map<string, Uint8Array<ArrayBuffer> | string>([
    [STATE, state],
    [MANIFEST, `${JSON.stringify(sealed)}\n`],
  ]);
}

/**
 * Reads and checks the manifest in a checkpoint's folder.
 *
 * @throws {MobilenetError} `invalid-data`
 */
export async function readManifest(folder: string): Promise<Manifest> {
  const [where, bytes] = await readFile(folder, MANIFEST);
  const json = parseJson(where, bytes);
  if (!isObject(json) || json.format !== FORMAT) {
    const received = isObject(json) && typeof json.format === 'string' ? json.format : 'another JSON';
    refuse(where, `a ${FORMAT}`, received, 'This file is of something else.');
  }
  if (json.version !== VERSION) {
    refuse(where, `version ${VERSION} of the format`, json.version, 'Go on with the package that wrote it.');
  }
  const { sha256, ...manifest } = json;
  // What JSON.stringify wrote it writes again, to the letter.
  const digest = await digestOf(JSON.stringify(manifest));
  if (digest !== sha256) refuse(where, `a manifest of SHA-256 ${sha256}`, digest, TORN);
  const { step, state, record } = manifest;
  const isWhole = Number.isSafeInteger(step) && isObject(state) && Number.isSafeInteger(state.bytes);
  if (!isWhole) refuse(where, 'step and state', 'a manifest without');
  return { step: step as number, state: state as unknown as StateFile, record };
}

/**
 * Reads the tensors of a checkpoint, if they are those that its manifest vouches for.
 *
 * @throws {MobilenetError} `invalid-data`
 */
export async function readState(folder: string, { bytes: size, sha256 }: StateFile) {
  const [where, bytes] = await readFile(folder, STATE);
  if (bytes.length !== size) refuse(where, `${size} bytes`, bytes.length, TORN);
  const digest = await digestOf(bytes);
  if (digest !== sha256) refuse(where, `SHA-256 ${sha256}`, digest, TORN);
  const tensors = new Map<string, Float32Values>();
  for (const [name, { dtype, shape, data }] of readSafetensors(bytes, where).tensors) {
    if (dtype !== 'F32') refuse(where, `${name} to be F32`, dtype);
    tensors.set(name, { shape, data });
  }
  return tensors;
}

async function readFile(folder: string, name: string): Promise<[where: string, bytes: Uint8Array<ArrayBuffer>]> {
  const where = joinPath(folder, name);
  const bytes = await platform.folders.read(where);
  return [where, bytes ?? refuse(where, 'a file of the checkpoint', 'no such file', TORN)];
}

function parseJson(where: string, bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch (error) {
    refuse(where, 'JSON', (error as Error).message, TORN, error);
  }
}

async function digestOf(content: Uint8Array<ArrayBuffer> | string): Promise<string> {
  const sha256 = await platform.createSha256();
  sha256.update(typeof content === 'string' ? new TextEncoder().encode(content) : content);
  return sha256.digest();
}
