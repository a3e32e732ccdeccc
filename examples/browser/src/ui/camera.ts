/** A camera that shows in a `<video>`. */
export interface Camera {
  /** The middle square of what it sees, as a file. */
  takePicture(name: string): Promise<File>;
  stop(): void;
}

/** Pictures are no larger: no network here sees more. */
const SIDE = 256;

/**
 * A signal gives it up while the browser asks for permission.
 *
 * @throws a DOMException where there is no camera, or no permission to use it
 */
export async function openCamera(video: HTMLVideoElement, signal?: AbortSignal): Promise<Camera> {
  if (!navigator.mediaDevices) throw new Error('A camera needs a secure page: open it over https, or from localhost.');
  const stream = await navigator.mediaDevices.getUserMedia({
    video: { facingMode: 'environment', width: { ideal: 640 }, height: { ideal: 480 } },
  });
  const stop = () => {
    for (const track of stream.getTracks()) track.stop();
    // Another stream may have taken its place.
    if (video.srcObject !== stream) return;
    video.srcObject = null;
    video.hidden = true;
  };
  try {
    signal?.throwIfAborted();
    video.srcObject = stream;
    video.hidden = false;
    await video.play();
    signal?.throwIfAborted();
  } catch (error) {
    stop();
    throw error;
  }
  return {
    async takePicture(name) {
      const canvas = new OffscreenCanvas(SIDE, SIDE);
      const { videoWidth: width, videoHeight: height } = video;
      const side = Math.min(width, height);
      const [left, top] = [(width - side) / 2, (height - side) / 2];
      canvas.getContext('2d')!.drawImage(video, left, top, side, side, 0, 0, SIDE, SIDE);
      return new File([await canvas.convertToBlob({ type: 'image/jpeg', quality: 0.95 })], name);
    },
    stop,
  };
}
