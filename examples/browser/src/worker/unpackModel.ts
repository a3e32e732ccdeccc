import { unzip } from 'fflate';

/** The files of a model, taken out of their zip where people gave one. */
export async function unpackModel(files: readonly File[]): Promise<File[]> {
  const unpacked = await Promise.all(files.map((file) => (/\.zip$/i.test(file.name) ? filesOf(file) : [file])));
  return unpacked.flat();
}

async function filesOf(zip: File): Promise<File[]> {
  const bytes = new Uint8Array(await zip.arrayBuffer());
  return new Promise((resolve, reject) => {
    unzip(bytes, (error, entries) => {
      if (error) reject(new Error(`${zip.name} is no zip that can be read (${error.message}). Download it again.`));
      else resolve(Object.entries(entries).map(([path, content]) => toFile(path, content)));
    });
  });
}

function toFile(path: string, content: Uint8Array): File {
  return new File([content as BlobPart], path.slice(path.lastIndexOf('/') + 1));
}
