import type { ImageDataset } from '../../data/imageDataset';
import type { InputRange } from '../../inputRange';

/** What a file is to be like, all of it checked. */
export interface OnnxSettings {
  readonly dynamicBatch: boolean;
  readonly inputLayout: 'NHWC' | 'NCHW';
  readonly opset: number;
  readonly embedPreprocessing: boolean;
  readonly precision: 'float32' | 'float16' | 'int8';
  readonly calibration: ImageDataset | undefined;
  readonly inputRange: InputRange;
}
