import { io } from '@tensorflow/tfjs-core';
import { platform } from '#platform';
import { check } from '../errors';
import { joinBytes } from './joinBytes';
import { joinPath } from './paths';

/** As tfjs-converter cuts them, so that browsers can cache each file. */
const SHARD_BYTES = 4 * 1024 * 1024;
const SHARD_NAME = /^group\d+-shard\d+of\d+\.bin$/;

/** Settled when no folder is being written: two writers of one would take the same names. */
let idle: Promise<unknown> = /* @__PURE__ */ Promise.resolve();

/** Writes `model.json` and its shards into a folder, all of them or none, and removes the shards of the model before. */
export function writeModelFolder(folder: string, artifacts: io.ModelArtifacts): Promise<io.SaveResult> {
  const written = idle.then(() => write(folder, artifacts));
  idle = written.catch(() => {});
  return written;
}

async function write(folder: string, artifacts: io.ModelArtifacts): Promise<io.SaveResult> {
  check(!folder.endsWith('.json'), {
    where: 'saveModel',
    expected: 'a folder',
    received: folder,
    remedy: 'Leave the file name out: the folder gets a model.json.',
  });
  const { weightSpecs = [], weightData = [], ...header } = artifacts;
  const old = await weightFilesIn(folder);
  const shards = cut(new Uint8Array(joinBytes([weightData].flat())), unusedGroup(old));
  const weightsManifest = [{ paths: [...shards.keys()], weights: weightSpecs }];
  // The JSON goes last: it is what makes the shards a model.
  await platform.writeFolder(
    folder,
    new Map([...shards, ['model.json', JSON.stringify({ ...header, weightsManifest })]]),
    old.filter((name) => SHARD_NAME.test(name)),
  );
  return { modelArtifactsInfo: io.getModelArtifactsInfoForJSON(artifacts) };
}

/** The files of weights that the model in a folder names; none where there is no model, or a damaged one. */
async function weightFilesIn(folder: string): Promise<string[]> {
  const path = joinPath(folder, 'model.json');
  if ((await platform.fileSize(path)) === undefined) return [];
  try {
    const { weightsManifest } = JSON.parse(new TextDecoder().decode(await platform.readFile(path)));
    const paths: unknown[] = weightsManifest.flatMap((group: { paths: unknown[] }) => group.paths);
    return paths.filter((path) => typeof path === 'string');
  } catch {
    return [];
  }
}

/** As the old model is to stay whole until the new one is there, its files keep their names: the groups take turns. */
function unusedGroup(old: readonly string[]): number {
  let group = 1;
  while (old.some((name) => name.startsWith(`group${group}-`))) group++;
  return group;
}

/** At least one shard, though it be empty, for tfjs wants weight data of every model. */
function cut(bytes: Uint8Array, group: number): Map<string, Uint8Array | string> {
  const count = Math.max(1, Math.ceil(bytes.length / SHARD_BYTES));
  return new Map(
    Array.from({ length: count }, (_, i) => [
      `group${group}-shard${i + 1}of${count}.bin`,
      bytes.subarray(i * SHARD_BYTES, (i + 1) * SHARD_BYTES),
    ]),
  );
}
