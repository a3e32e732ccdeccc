import type { Picture } from '../data/resizePicture';
import { check, fail } from '../errors';
import { drawnPixels } from '../platform/canvas';

interface Drawable {
  HTMLImageElement: HTMLImageElement;
  HTMLCanvasElement: HTMLCanvasElement;
  HTMLVideoElement: HTMLVideoElement;
  OffscreenCanvas: OffscreenCanvas;
  ImageBitmap: ImageBitmap;
  VideoFrame: VideoFrame;
}

const ownSize = ({ width, height }: { width: number; height: number }) => [width, height] as const;

/** Width and height of the picture itself, not of its place on the page. */
const naturalSize: { [Kind in keyof Drawable]: (element: Drawable[Kind]) => readonly [number, number] } = {
  HTMLImageElement: ({ naturalWidth, naturalHeight }) => [naturalWidth, naturalHeight],
  HTMLCanvasElement: ownSize,
  HTMLVideoElement: ({ videoWidth, videoHeight }) => [videoWidth, videoHeight],
  OffscreenCanvas: ownSize,
  ImageBitmap: ownSize,
  VideoFrame: ({ displayWidth, displayHeight }) => [displayWidth, displayHeight],
};

/** Whether this is the name of a class of things that a canvas can draw. */
export function isDrawable(kind: string): kind is keyof Drawable {
  return Object.hasOwn(naturalSize, kind);
}

/** The pixels of such a thing; what may change from frame to frame is read before the call returns. */
export async function elementPixels(
  element: Drawable[keyof Drawable],
  kind: keyof Drawable,
  where: string,
): Promise<Picture> {
  if (kind === 'HTMLImageElement') await loaded(element as HTMLImageElement, where);
  if (kind === 'HTMLVideoElement') checkHasFrame(element as HTMLVideoElement, where);
  const [width, height] = naturalSize[kind](element as never);
  check(width > 0 && height > 0, {
    where,
    expected: `a ${kind} with pixels`,
    received: `${width} x ${height} pixels`,
    remedy: 'Pass it after it has got its size, and before it is closed.',
  });
  return drawnPixels(element, width, height, where);
}

async function loaded(image: HTMLImageElement, where: string): Promise<void> {
  try {
    await image.decode();
  } catch (error) {
    fail({
      code: 'invalid-data',
      where,
      expected: 'an <img> with a picture',
      received: image.currentSrc ? `one that cannot load ${image.currentSrc.slice(0, 200)}` : 'one without a src',
      remedy: 'Set its src to a picture that this page can load; with crossorigin its site must allow CORS.',
      cause: error,
    });
  }
}

function checkHasFrame(video: HTMLVideoElement, where: string): void {
  check(video.readyState >= video.HAVE_CURRENT_DATA, {
    where,
    expected: 'a <video> with a frame',
    received: 'one that has not loaded',
    remedy: "Wait for its event 'loadeddata'.",
  });
}
