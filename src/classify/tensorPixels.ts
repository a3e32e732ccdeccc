import type { Tensor3D, Tensor4D } from '@tensorflow/tfjs-core';
import type { Picture } from '../data/resizePicture';
import { check } from '../errors';
import { checkPixelRange } from './pixelRange';

/** Whether it is a tensor, of any copy of tfjs. */
export function isTensor(image: object): image is Tensor3D | Tensor4D {
  return 'dataSync' in image && 'dtype' in image && 'shape' in image;
}

/** The picture in a tensor `[H,W,C]` or `[1,H,W,C]`, which stays its owner's; whole numbers become bytes. */
export async function tensorPixels(tensor: Tensor3D | Tensor4D, where: string, signal?: AbortSignal): Promise<Picture> {
  check(!tensor.isDisposed, {
    where,
    expected: 'a tensor',
    received: 'one that is disposed of',
    remedy: 'Dispose of a picture after its result has come.',
  });
  const [height = 0, width = 0, channels = 0] = tensor.rank === 4 ? tensor.shape.slice(1) : tensor.shape;
  const isOne = tensor.rank === 3 || (tensor.rank === 4 && tensor.shape[0] === 1);
  check(isOne && height > 0 && width > 0 && channels > 0, {
    where,
    expected: 'a tensor of one picture, [height, width, channels] or [1, height, width, channels]',
    received: `shape [${tensor.shape}]`,
    remedy: tensor.rank === 4 ? 'Split a batch with tf.unstack and pass its pictures one by one.' : undefined,
  });
  const { dtype } = tensor as { dtype: string };
  check(dtype === 'float32' || dtype === 'int32' || dtype === 'bool', {
    where,
    expected: 'a tensor of float32, int32 or bool',
    received: dtype,
  });
  const values = await tensor.data();
  await checkPixelRange(values, where, signal);
  const data = values instanceof Float32Array ? values : Uint8Array.from(values);
  return { data, width, height, channels };
}
