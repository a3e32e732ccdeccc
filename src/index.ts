export type { Classifier, ClassifyOptions, EmbedOptions } from './classify/classifier';
export type { ClassifierImage, PixelArray } from './classify/classifierImage';
export type { CreateClassifierOptions } from './classify/classifierOptions';
export { createClassifier } from './classify/createClassifier';
export type { Preprocessing } from './classify/preprocessing';
export type { ClassifierInfo } from './classify/runner';
export type { Classification } from './classify/topClasses';
export { type BatchesOptions, batches } from './data/batches';
export { type LoadCifar10Options, type LoadProgress, loadCifar10 } from './data/cifar10';
export type { Cifar10 } from './data/cifar10Format';
export {
  type ImageBatch,
  type ImageDataset,
  type InMemoryDatasetOptions,
  type InMemoryImageDataset,
  inMemoryDataset,
  type LabelledImages,
  takeDataset,
} from './data/imageDataset';
export { type SyntheticCifar10Options, syntheticCifar10 } from './data/syntheticCifar10';
export { type TfDataset, type ToTensorsOptions, type ToTfDatasetOptions, toTensors, toTfDataset } from './data/tensors';
export { type ConfigureEngineOptions, configureEngine, type WasmFile } from './engine/configureEngine';
export type { EngineChoice } from './engine/engineChoice';
export { MobilenetError, type MobilenetErrorCode } from './errors';
export { type LoadModelOptions, loadModel, type ModelSource } from './io/loadModel';
export type { WeightQuantization } from './io/quantizeWeights';
export { type SaveModelOptions, saveModel } from './io/saveModel';
export { registerWasmTrainingKernels } from './kernels/registerWasmTrainingKernels';
export type { WasmFlavour } from './kernels/wasmModule';
export type { FeatureShape, PaddingStyle } from './model/architecture';
export { type ConvBlockOptions, convBlock, type DepthwiseConvBlockOptions, depthwiseConvBlock } from './model/blocks';
export { describeMobilenetV1, type LayerDescription, type MobilenetV1Description } from './model/describeMobilenetV1';
export { getModelMetadata, type ModelMetadata, setModelMetadata } from './model/metadata';
export { mobilenetV1 } from './model/mobilenetV1';
export type { MobilenetV1Options, NetworkOptions } from './model/options';
export {
  type ClassAccuracy,
  type ClassifierEvaluation,
  type EvaluateClassifierOptions,
  evaluateClassifier,
} from './train/evaluateClassifier';
export type { LearningRate, TrainingPosition } from './train/learningRate';
export type { OptimizerName } from './train/optimizers';
export { recipes } from './train/recipes';
export { type TrainClassifierResult, trainClassifier } from './train/trainClassifier';
export type { TrainingEngineInfo } from './train/trainer';
export type { TrainClassifierOptions, TrainingBatch, TrainingEpoch } from './train/trainingOptions';
