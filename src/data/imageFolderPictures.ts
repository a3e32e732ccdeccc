import { MobilenetError } from '../errors';
import { convertChannels } from './convertChannels';
import { decodePicture } from './decodePicture';
import type { ImageFolderSettings } from './imageFolderOptions';
import type { PictureFolder } from './imageFolderSource';
import { inParallel } from './inParallel';
import { resizePicture } from './resizePicture';

/** N pictures, each decoded once; what memory has no room for is decoded again when it is read. */
export interface DecodedPictures {
  /** `[N]`, why a picture cannot be decoded; undefined where it can. */
  readonly errors: readonly (MobilenetError | undefined)[];
  /** n of them, `[n,H,W,C]`. */
  read(indices: ArrayLike<number>): Promise<Uint8Array>;
}

/** @throws the signal's reason where it was aborted; what a picture cannot be blamed for. */
export async function decodePictures(
  folder: PictureFolder,
  files: readonly string[],
  settings: ImageFolderSettings,
): Promise<DecodedPictures> {
  const { height, width, channels, fit, concurrency, onProgress, signal } = settings;
  const decode = async (file: string, signal?: AbortSignal): Promise<Uint8Array> => {
    const picture = await decodePicture(await folder.read(file), file);
    const converted = await convertChannels(picture, channels, file, signal);
    return (await resizePicture(converted, { height, width }, { fit, signal })).data as Uint8Array;
  };
  const pictureBytes = height * width * channels;
  const room = Math.floor((settings.memoryLimitMegabytes * 2 ** 20) / pictureBytes);
  const kept: (Uint8Array | undefined)[] = files.map(() => undefined);
  const errors: (MobilenetError | undefined)[] = files.map(() => undefined);
  let done = 0;
  await inParallel(files.length, concurrency, async (i) => {
    signal?.throwIfAborted();
    try {
      const pixels = await decode(files[i]!, signal);
      if (i < room) kept[i] = pixels;
    } catch (error) {
      signal?.throwIfAborted();
      if (!isBroken(error)) throw error;
      errors[i] = error;
    }
    onProgress?.({ done: ++done, total: files.length });
  });
  signal?.throwIfAborted();

  const read = async (indices: ArrayLike<number>) => {
    const images = new Uint8Array(indices.length * pictureBytes);
    await inParallel(indices.length, concurrency, async (i) => {
      const index = indices[i]!;
      images.set(kept[index] ?? (await decode(files[index]!)), i * pictureBytes);
    });
    return images;
  };
  return { errors, read };
}

/** Whether it is the picture's fault, and not that nothing here decodes pictures. */
function isBroken(error: unknown): error is MobilenetError {
  return error instanceof MobilenetError && error.code !== 'missing-backend';
}
