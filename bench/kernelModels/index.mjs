// What each kernel of the engine has to do, read off the arguments of a call: its shape, its work, and a plain loop for one
// of its outputs, in float64. The definitions stand at the kernels, in assembly/engine.
import * as channels from './channels.mjs';
import { depthwiseBackward, depthwiseForward } from './depthwise.mjs';
import { convForward, convWeightGradient, pointwiseInputGradient, transposePanels } from './products.mjs';
import * as vectors from './vectors.mjs';

/** @type {Map<string, import('./plainLoop.mjs').DescribeCall>} */
export const kernelModels = new Map(
  Object.entries({
    f32ConvForward: convForward,
    f32PointwiseInputGradient: pointwiseInputGradient,
    f32ConvWeightGradient: convWeightGradient,
    f32DepthwiseForward: depthwiseForward,
    f32DepthwiseBackward: depthwiseBackward,
    f32TransposePanels: transposePanels,
    f32BatchNormForward: channels.batchNormForward,
    f32BatchNormInference: channels.batchNormInference,
    f32BatchNormBackward: channels.batchNormBackward,
    f32BiasOnly: channels.biasOnly,
    f32MovingAverage: channels.movingAverage,
    f32GlobalAverageForward: channels.globalAverageForward,
    f32GlobalAverageBackward: channels.globalAverageBackward,
    f32MaskGradient: channels.maskGradient,
    f32DropoutMask: channels.dropoutMask,
    f32DropoutForward: channels.dropoutForward,
    f32DropoutBackward: channels.dropoutBackward,
    f32SoftmaxCrossEntropy: channels.softmaxCrossEntropy,
    f32SumGroups: vectors.sumGroups,
    f32ScaleBytes: vectors.scaleBytes,
    f32Accumulate: vectors.accumulate,
    f32ExponentialAverage: vectors.exponentialAverage,
    f32SumOfSquares: vectors.sumOfSquares,
    f32Adam: vectors.adam,
    f32Sgd: vectors.sgd,
    f32Momentum: vectors.momentum,
    f32Rmsprop: vectors.rmsprop,
    f32AllFinite: vectors.allFinite,
  }),
);
