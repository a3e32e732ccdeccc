import { platform } from '#platform';
import { fail } from '../errors';
import { folderFiles, type ModelFiles } from '../io/modelFiles';

/** What lies at a path: a folder with a `model.json`, or a file of weights of any format. Throws `file-system`. */
export async function localFiles(path: string): Promise<ModelFiles> {
  const isThere = (await platform.listFolder(path)) !== undefined || (await platform.fileSize(path)) !== undefined;
  if (isThere) return folderFiles(path);
  return fail({
    code: 'file-system',
    where: path,
    expected: 'the path of a file of weights, or a folder with a model.json',
    received: 'no such path',
    remedy: 'Check the path.',
  });
}
