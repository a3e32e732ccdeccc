import { check } from '../../errors';
import type { PaddingStyle } from '../../model/architecture';
import type { ModelMetadata } from '../../model/metadata';
import { kerasChecksums } from './kerasChecksums';

/** Who trained and published the weights. */
export type PretrainedSource = 'keras' | 'timm' | 'tfjs';

/** One network of a source. */
export interface PretrainedNetwork {
  readonly source: PretrainedSource;
  /** Width multiplier. */
  readonly alpha: number;
  /** Height and width of the pictures that it takes. */
  readonly resolution: number;
}

/** What is the same for all networks of a source, and where their files are. */
export interface PretrainedFamily {
  /** By each alpha that there is, what the source calls it. */
  readonly alphas: ReadonlyMap<number, unknown>;
  /** Undefined: any from 32 on. */
  readonly resolutions: readonly number[] | undefined;
  readonly padding: PaddingStyle;
  readonly batchNormEpsilon: number;
  /** The address of the weights, without the head where that is a file of its own. */
  urlOf(network: PretrainedNetwork, includeTop: boolean): string;
  /** Undefined where none is published. */
  checksumOf?(network: PretrainedNetwork, includeTop: boolean): PublishedChecksum | undefined;
  /** How accuracy was measured. */
  preprocessingOf(network: PretrainedNetwork): PretrainedPreprocessing;
}

/** The SHA-256 of a file of weights, or the address of the Git LFS pointer that holds it. */
export type PublishedChecksum = { readonly sha256: string } | { readonly pointerUrl: string };

export type PretrainedPreprocessing = Required<
  Pick<ModelMetadata, 'inputRange' | 'cropFraction' | 'cropAfterResize' | 'interpolation'>
>;

/** Height and width of the smallest pictures that every implementation takes. */
const SMALLEST_RESOLUTION = 32;

const kerasAlphas = new Map([
  [1, '1_0'],
  [0.75, '7_5'],
  [0.5, '5_0'],
  [0.25, '2_5'],
]);

const tfjsAlphas = new Map([
  [1, '1.0'],
  [0.75, '0.75'],
  [0.5, '0.50'],
  [0.25, '0.25'],
]);

/** Of TF-slim, whose weights both Keras and tfjs converted. */
const slimPreprocessing: PretrainedPreprocessing = {
  inputRange: [-1, 1],
  cropFraction: 0.875,
  cropAfterResize: false,
  interpolation: 'bilinear',
};

/** Names in timm, and the share of a picture that is kept: at 224 pixels, where it was trained, and from 256 on. */
const timmModels = new Map([
  [1, { name: 'mobilenetv1_100.ra4_e3600_r224_in1k', crop: 0.875, largeCrop: 0.95 }],
  [1.25, { name: 'mobilenetv1_125.ra4_e3600_r224_in1k', crop: 0.9, largeCrop: 1 }],
]);

export const pretrainedFamilies: Record<PretrainedSource, PretrainedFamily> = {
  // https://github.com/keras-team/keras/blob/master/keras/src/applications/mobilenet.py
  keras: {
    alphas: kerasAlphas,
    resolutions: [224, 192, 160, 128],
    padding: 'keras',
    batchNormEpsilon: 1e-3,
    urlOf: ({ alpha, resolution }, includeTop) =>
      'https://storage.googleapis.com/tensorflow/keras-applications/mobilenet/' +
      `mobilenet_${kerasAlphas.get(alpha)}_${resolution}_tf${includeTop ? '' : '_no_top'}.h5`,
    checksumOf: ({ alpha, resolution }, includeTop) => {
      const [withTop, noTop] = kerasChecksums[`${kerasAlphas.get(alpha)}_${resolution}`]!;
      return { sha256: includeTop ? withTop : noTop };
    },
    preprocessingOf: () => slimPreprocessing,
  },
  // https://github.com/huggingface/pytorch-image-models/blob/main/timm/models/efficientnet.py
  timm: {
    alphas: timmModels,
    resolutions: undefined,
    padding: 'torch',
    batchNormEpsilon: 1e-5,
    urlOf: ({ alpha }) => timmUrl(alpha, 'resolve'),
    // Hugging Face: a large file's raw content is its pointer.
    checksumOf: ({ alpha }) => ({ pointerUrl: timmUrl(alpha, 'raw') }),
    preprocessingOf: ({ alpha, resolution }) => ({
      // Mean and standard deviation are 0.5.
      inputRange: [-1, 1],
      cropFraction: timmCropFraction(alpha, resolution),
      cropAfterResize: true,
      interpolation: 'bicubic',
    }),
  },
  // Only these were converted: https://github.com/tensorflow/tfjs/issues/1310
  tfjs: {
    alphas: tfjsAlphas,
    resolutions: [224],
    padding: 'same',
    batchNormEpsilon: 1e-3,
    urlOf: ({ alpha, resolution }) =>
      `https://storage.googleapis.com/tfjs-models/tfjs/mobilenet_v1_${tfjsAlphas.get(alpha)}_${resolution}/model.json`,
    preprocessingOf: () => slimPreprocessing,
  },
};

function timmUrl(alpha: number, view: 'resolve' | 'raw'): string {
  return `https://huggingface.co/timm/${timmModels.get(alpha)!.name}/${view}/main/model.safetensors`;
}

/** timm makes the shorter side `floor(resolution / crop)` pixels long, then cuts the centre out. */
function timmCropFraction(alpha: number, resolution: number): number {
  const { crop, largeCrop } = timmModels.get(alpha)!;
  return resolution / Math.floor(resolution / (resolution < 256 ? crop : largeCrop));
}

/** Throws `invalid-argument`, with all that exist, where there is no such network. */
export function checkPretrainedNetwork(where: string, { source, alpha, resolution }: PretrainedNetwork): void {
  const isSource = Object.hasOwn(pretrainedFamilies, source);
  const family = isSource ? pretrainedFamilies[source] : undefined;
  const fits = family?.resolutions?.includes(resolution) ?? isAnyResolution(resolution);
  check(family?.alphas.has(alpha) === true && fits, {
    where,
    expected: `one of ${Object.entries(pretrainedFamilies).map(describeFamily).join('; ')}`,
    received: isSource ? `${source}, alpha ${alpha} at ${resolution}` : `source ${source}`,
    remedy: 'Other weights, your own among them, are loaded by loadWeights.',
  });
}

function isAnyResolution(resolution: unknown): boolean {
  return Number.isInteger(resolution) && (resolution as number) >= SMALLEST_RESOLUTION;
}

function describeFamily([source, { alphas, resolutions }]: [string, PretrainedFamily]): string {
  return `${source}, alpha ${[...alphas.keys()].join(', ')} at ${resolutions?.join(', ') ?? `${SMALLEST_RESOLUTION} or more`}`;
}

/** A public file, and the network that it is for; those of timm are for any resolution, and are listed at 224. */
export interface PretrainedFile {
  readonly network: PretrainedNetwork;
  readonly includeTop: boolean;
  readonly url: string;
  readonly checksum: PublishedChecksum | undefined;
}

/** Every file that there is; one that holds the head and is used without it too is listed once. */
export function pretrainedFiles(): PretrainedFile[] {
  const files = Object.entries(pretrainedFamilies).flatMap(([source, family]) =>
    [...family.alphas.keys()].flatMap((alpha) =>
      (family.resolutions ?? [224]).flatMap((resolution) =>
        [true, false].map((includeTop) => {
          const network = { source: source as PretrainedSource, alpha, resolution };
          const checksum = family.checksumOf?.(network, includeTop);
          return { network, includeTop, url: family.urlOf(network, includeTop), checksum };
        }),
      ),
    ),
  );
  return files.filter(({ url }, i) => files.findIndex((file) => file.url === url) === i);
}
