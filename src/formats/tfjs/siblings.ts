import type { ModelFiles } from '../../io/modelFiles';
import { refuse } from '../../io/refuse';
import type { WeightFile } from '../networkWeights';

/** A `model.json` that is at hand, and the shards beside it. */
export function filesOf({ bytes, where, readSibling }: WeightFile): ModelFiles {
  return {
    json: where,
    locate: (path) => path,
    read: async (path) => {
      if (path === where) return bytes;
      if (readSibling) return readSibling(path);
      return refuse(
        where,
        `the file ${path} beside it`,
        'a model.json alone',
        'Give its path, or pick it with its shards.',
      );
    },
  };
}
