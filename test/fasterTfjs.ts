import { TensorBuffer } from '@tensorflow/tfjs-core';

/*
 * Makes tfjs's gradients of convolutions three times as fast on its CPU backend, which tests compare with; its numbers stay
 * the same. They read each value through `get(...locs)`, which in Node's build makes a list and an iterator at each call.
 */
const getSlowly = TensorBuffer.prototype.get;

const isIndex = (value: number, size: number) => value >= 0 && value < size;

/** tfjs has six dimensions at most. */
TensorBuffer.prototype.get = function (a = 0, b?: number, c?: number, d?: number, e?: number, f?: number) {
  const { shape, strides, values } = this;
  if (b !== undefined && c !== undefined && d !== undefined && e === undefined && shape.length === 4) {
    const isInside = isIndex(a, shape[0]!) && isIndex(b, shape[1]!) && isIndex(c, shape[2]!) && isIndex(d, shape[3]!);
    if (isInside) return values[a * strides[0]! + b * strides[1]! + c * strides[2]! + d] as never;
  }
  return getSlowly.apply(
    this,
    [a, b, c, d, e, f].filter((index) => index !== undefined),
  );
};
