export type { Classifier, ClassifyOptions, EmbedOptions } from './classify/classifier';
export type { ClassifierImage, PixelArray } from './classify/classifierImage';
export type { CreateClassifierOptions } from './classify/classifierOptions';
export { createClassifier } from './classify/createClassifier';
export type { Preprocessing } from './classify/preprocessing';
export type { ClassifierInfo } from './classify/runner';
export type { Classification } from './classify/topClasses';
export { type Augmentation, type AugmentBatchOptions, augmentBatch } from './data/augment';
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
  type PictureResizing,
  takeDataset,
} from './data/imageDataset';
export { type BrokenPicture, type ImageFolderDataset, loadImageFolder } from './data/imageFolder';
export type { ImageFolderProgress, LoadImageFolderOptions } from './data/imageFolderOptions';
export type { ImageFolderSource } from './data/imageFolderSource';
export { type ImageStatistics, type ImageStatisticsOptions, imageStatistics } from './data/imageStatistics';
export { type MixBatchOptions, mixBatch } from './data/mixImages';
export { resizeBatch } from './data/resizeBatch';
export type { Interpolation } from './data/resizeFilter';
export {
  type DatasetSplit,
  type FoldDatasetOptions,
  foldDataset,
  labelsOf,
  type SplitDatasetOptions,
  splitDataset,
} from './data/splitDataset';
export { subsetDataset } from './data/subsetDataset';
export { type SyntheticCifar10Options, syntheticCifar10 } from './data/syntheticCifar10';
export { type TfDataset, type ToTensorsOptions, type ToTfDatasetOptions, toTensors, toTfDataset } from './data/tensors';
export { type ConfigureEngineOptions, configureEngine, type WasmFile } from './engine/configureEngine';
export type { EngineChoice } from './engine/engineChoice';
export type { WeightRole } from './engine/optimizer';
export { MobilenetError, type MobilenetErrorCode } from './errors';
export { type ExportKerasOptions, exportKeras } from './formats/exportKeras';
export { type ExportOnnxOptions, exportOnnx } from './formats/exportOnnx';
export { type ExportSafetensorsOptions, exportSafetensors } from './formats/exportSafetensors';
export { type ExportTfliteOptions, exportTflite } from './formats/exportTflite';
export type { HeadChoice } from './formats/heads';
export { type LoadPretrainedOptions, loadPretrained } from './formats/loadPretrained';
export type { LoadedWeights } from './formats/loadWeightFile';
export { type LoadWeightsOptions, loadWeights } from './formats/loadWeights';
export type { WeightFormat } from './formats/networkWeights';
export type { PretrainedSource } from './formats/pretrained/pretrainedNetworks';
export type { WeightSource } from './formats/weightSource';
export { type InputRange, type MeanStdRangeOptions, meanStdRange } from './inputRange';
export { type LoadModelOptions, loadModel, type ModelSource } from './io/loadModel';
export type { WeightQuantization } from './io/quantizeWeights';
export { type SaveModelOptions, saveModel } from './io/saveModel';
export { registerWasmTrainingKernels } from './kernels/registerWasmTrainingKernels';
export type { WasmFlavour } from './kernels/wasmModule';
export type { FeatureShape, PaddingStyle } from './model/architecture';
export { type ConvBlockOptions, convBlock, type DepthwiseConvBlockOptions, depthwiseConvBlock } from './model/blocks';
export { describeMobilenetV1, type LayerDescription, type MobilenetV1Description } from './model/describeMobilenetV1';
export { type FreezeOptions, freeze, type UnfreezeOptions, unfreeze } from './model/freeze';
export { getModelMetadata, type ModelMetadata, setModelMetadata } from './model/metadata';
export { mobilenetV1 } from './model/mobilenetV1';
export type { DepthwiseInitializer, MobilenetV1Options, NetworkOptions } from './model/options';
export { type ReplaceHeadOptions, replaceHead } from './model/replaceHead';
export type { TextOutput } from './platform/platform';
export { createReportWriter, type ReportWriter, type ReportWriterOptions } from './report/createReportWriter';
export { historyCsv } from './report/historyCsv';
export { reportPictures } from './report/reportPictures';
export { createStepSampler, type SampledSteps, type StepSampler, type StepSamplerOptions } from './report/stepSampler';
export type {
  LabelledPicture,
  ReportEpoch,
  ReportEvaluation,
  ReportMistake,
  ReportPicture,
  ReportStatus,
  ReportStep,
  ReportTable,
  TrainingReport,
} from './report/trainingReport';
export { trainingReportHtml } from './report/trainingReportHtml';
export type { ResumedFrom } from './train/checkpointRecord';
export {
  type ClassAccuracy,
  type ClassifierEvaluation,
  type EvaluateClassifierOptions,
  evaluateClassifier,
} from './train/evaluateClassifier';
export type { LearningRate, Schedule, TrainingPosition } from './train/learningRate';
export type { LossWeights } from './train/lossTargets';
export type { Mistake } from './train/mistakes';
export type { AdamOptions, OptimizerName, OptimizerOptions, RmspropOptions, SgdOptions } from './train/optimizers';
export type { TestTimeAugmentation } from './train/pictureViews';
export type { PlateauOptions } from './train/plateau';
export { createProgress, type ProgressKind, type ProgressOptions, type TrainingProgress } from './train/progress';
export { recipeNetworks, recipes } from './train/recipes';
export { type SampleScheduleOptions, type ScheduleSample, sampleSchedule } from './train/sampleSchedule';
export {
  type ConstantOptions,
  type CosineOptions,
  type ExponentialOptions,
  type OneCycleOptions,
  type PiecewiseOptions,
  type PolynomialOptions,
  type StepOptions,
  schedules,
} from './train/schedules';
export { type TrainClassifierResult, trainClassifier } from './train/trainClassifier';
export type { TrainingEngineInfo } from './train/trainer';
export { createTrainingControl, type TrainingControl } from './train/trainingControl';
export type {
  CheckpointOptions,
  EarlyStopping,
  PictureScale,
  TrainClassifierOptions,
  TrainingDataOptions,
  UpdateOptions,
} from './train/trainingOptions';
export type { Monitor, TrainingBatch, TrainingEpoch } from './train/trainingRecords';
export type { WarmUpOptions } from './train/warmUp';
