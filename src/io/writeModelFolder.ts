import { io } from '@tensorflow/tfjs-core';
import { platform } from '#platform';
import { check } from '../errors';
import { joinBytes } from './joinBytes';

/** As tfjs-converter cuts them, so that browsers can cache each file. */
const SHARD_BYTES = 4 * 1024 * 1024;

/** Writes `model.json` and its shards into a folder, all of them or none. */
export async function writeModelFolder(folder: string, artifacts: io.ModelArtifacts): Promise<io.SaveResult> {
  check(!folder.endsWith('.json'), {
    where: 'saveModel',
    expected: 'a folder',
    received: folder,
    remedy: 'Leave the file name out: the folder gets a model.json.',
  });
  const { weightSpecs = [], weightData = [], ...header } = artifacts;
  const shards = cut(new Uint8Array(joinBytes([weightData].flat())));
  const weightsManifest = [{ paths: [...shards.keys()], weights: weightSpecs }];
  // The JSON goes last: it is what makes the shards a model.
  await platform.writeFolder(
    folder,
    new Map([...shards, ['model.json', JSON.stringify({ ...header, weightsManifest })]]),
  );
  return { modelArtifactsInfo: io.getModelArtifactsInfoForJSON(artifacts) };
}

/** At least one shard, though it be empty, for tfjs wants weight data of every model. */
function cut(bytes: Uint8Array): Map<string, Uint8Array | string> {
  const count = Math.max(1, Math.ceil(bytes.length / SHARD_BYTES));
  return new Map(
    Array.from({ length: count }, (_, i) => [
      `group1-shard${i + 1}of${count}.bin`,
      bytes.subarray(i * SHARD_BYTES, (i + 1) * SHARD_BYTES),
    ]),
  );
}
