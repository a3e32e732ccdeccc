// What runs in the page: the library's sources, given what people choose and drop.
import { loadImageFolder } from '../../src/data/imageFolder';

/** The dataset as plain values, of the files chosen in the page, or of files with paths for names. */
async function load(from: 'input' | 'names', memoryLimitMegabytes: number) {
  const chosen = [...document.querySelector('input')!.files!];
  const files = chosen.map((file) => new File([file], file.webkitRelativePath.slice('pets/'.length)));
  const source = from === 'input' ? document.querySelector('input')!.files! : files;
  const dataset = await loadImageFolder(source, { size: 8, broken: 'skip', memoryLimitMegabytes });
  const { images, labels } = await dataset.read([...dataset.files.keys()]);
  const { classNames, broken } = dataset;
  return { classNames, files: dataset.files, broken, labels: [...labels], images: [...images] };
}

/** The message of the error. */
async function loadPath(): Promise<string> {
  return loadImageFolder('pets').then(
    () => 'none',
    (error: Error) => error.message,
  );
}

const imageFolder = { load, loadPath };
export type ImageFolderPage = typeof imageFolder;
Object.assign(window, { imageFolder });
