import { describe, expect, test } from 'vitest';
import type { InferenceConv, InferenceDepthwise, InferenceGraph, InferenceStage } from '../../src/graph/inferenceGraph';
import {
  type QuantizedConv,
  type QuantizedGraph,
  type QuantizeGraphOptions,
  quantizeGraph,
} from '../../src/graph/quantizeGraph';
import type { ConvWindow, FeatureSize } from '../../src/graph/stage';
import { createRandom, type Random } from '../../src/random';
import { quantizePixels, runFloatStage, runQuantizedGraph, runQuantizedStage } from './integerReference';

const SEED = 59;
const RELU6 = [0, 6] as const;
const RELU = [0, Number.POSITIVE_INFINITY] as const;
const NONE = [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY] as const;
const RANGE = [-1, 1] as const;

function windowOf(kernel: number, stride = 1): ConvWindow {
  const pad = Math.floor((kernel - stride) / 2) + (kernel > stride ? (kernel - stride) % 2 : 0);
  return {
    kernelHeight: kernel,
    kernelWidth: kernel,
    strideHeight: stride,
    strideWidth: stride,
    padTop: Math.max(0, pad),
    padLeft: Math.max(0, pad),
  };
}

const square = (size: number, channels: number): FeatureSize => ({ height: size, width: size, channels });

function conv(
  name: string,
  input: FeatureSize,
  output: FeatureSize,
  window: ConvWindow,
  random: Random,
): InferenceConv {
  const fanIn = window.kernelHeight * window.kernelWidth * input.channels;
  return {
    kind: 'conv',
    name,
    input,
    output,
    window,
    kernel: normals(fanIn * output.channels, Math.sqrt(2 / fanIn), random),
    bias: normals(output.channels, 0.3, random),
    clamp: RELU6,
  };
}

function depthwise(
  name: string,
  input: FeatureSize,
  output: FeatureSize,
  window: ConvWindow,
  random: Random,
): InferenceDepthwise {
  const taps = window.kernelHeight * window.kernelWidth;
  return {
    kind: 'depthwise',
    name,
    input,
    output,
    window,
    kernel: normals(taps * output.channels, Math.sqrt(2 / taps), random),
    bias: normals(output.channels, 0.3, random),
    clamp: RELU6,
    multiplier: output.channels / input.channels,
  };
}

function normals(count: number, deviation: number, random: Random): Float32Array {
  return Float32Array.from({ length: count }, () => deviation * random.normal());
}

function graphOf(...stages: InferenceStage[]): InferenceGraph {
  return { input: stages[0]!.input, output: stages.at(-1)!.output, outputKind: 'logits', stages };
}

/** A small MobileNet: stem, depthwise with stride 1, 2 and two outputs a channel, 1x1, global average, classifier. */
function smallNet(seed: number): InferenceGraph {
  const random = createRandom(seed);
  return graphOf(
    conv('stem', square(16, 3), square(8, 8), windowOf(3, 2), random),
    depthwise('dw1', square(8, 8), square(8, 8), windowOf(3), random),
    conv('pw1', square(8, 8), square(8, 24), windowOf(1), random),
    depthwise('dw2', square(8, 24), square(4, 48), windowOf(3, 2), random),
    conv('pw2', square(4, 48), square(4, 32), windowOf(1), random),
    { kind: 'pool', name: 'pool', input: square(4, 32), output: square(1, 32) },
    { ...conv('classes', square(1, 32), square(1, 10), windowOf(1), random), clamp: NONE },
  );
}

function picture({ height, width, channels }: FeatureSize, random: Random): Uint8Array {
  return Uint8Array.from({ length: height * width * channels }, () => random.integer(256));
}

function quantized(graph: InferenceGraph, options: QuantizeGraphOptions = { inputRange: RANGE }): QuantizedGraph {
  const result = quantizeGraph(graph, options);
  if ('unsupported' in result) throw new Error(JSON.stringify(result.unsupported));
  return result.graph;
}

function unsupported(graph: InferenceGraph, options: QuantizeGraphOptions = { inputRange: RANGE }) {
  const result = quantizeGraph(graph, options);
  if ('graph' in result) throw new Error('the graph was quantised');
  return result.unsupported;
}

/** One pixel, one channel, one weight. */
function tiny(changes: Partial<InferenceConv> = {}): InferenceGraph {
  const one = { ...conv('a', square(1, 1), square(1, 1), windowOf(1), createRandom(SEED)), ...changes };
  return graphOf(one, { ...one, name: 'last', clamp: NONE });
}

describe('quantizeGraph', () => {
  test('numbers of one weight', () => {
    const graph = tiny({ kernel: Float32Array.of(-1.27), bias: Float32Array.of(3) });
    const { inputScale, stages } = quantized(graph);
    expect(inputScale).toBe(2 / 510);
    const scale = Math.fround(Math.fround(1.27) / 127) * inputScale;
    const outputScale = Math.fround(6 / 127);
    expect(stages[0]).toMatchObject({
      kind: 'int8Conv',
      name: 'a',
      kernel: Int8Array.of(-127),
      bias: Int32Array.of(Math.round(3 / scale)),
      multipliers: Float32Array.of(scale / outputScale),
      outputScale,
    });
    expect(stages[1]).toBe(graph.stages[1]);
  });

  test.each([
    [[-1, 1], 2 / 510],
    [[0, 1], 1 / 510],
    [[0, 255], 0.5],
    // Far from zero: as fine as 16 bits allow.
    [[1000, 1001], 1001 / 32767],
  ] as const)('the picture of the range %o has the scale %d', (inputRange, scale) => {
    expect(quantized(tiny(), { inputRange }).inputScale).toBe(scale);
  });

  test('ranges for each channel share a scale, by the narrowest range and as fine as 16 bits allow', () => {
    const graph = graphOf(
      conv('stem', square(2, 2), square(2, 4), windowOf(3), createRandom(SEED)),
      conv('last', square(2, 4), square(2, 4), windowOf(1), createRandom(SEED)),
    );
    const scaleOf = (inputRange: QuantizeGraphOptions['inputRange']) => quantized(graph, { inputRange }).inputScale;
    expect(scaleOf([RANGE, RANGE])).toBe(scaleOf(RANGE));
    expect(scaleOf([RANGE, [0, 0.5]])).toBe(0.5 / 510);
    expect(
      scaleOf([
        [0, 255],
        [0, 1],
      ]),
    ).toBe(255 / 32767);
  });

  test(`with a range for each channel, padding counts as 0 (seed ${SEED})`, () => {
    const net = smallNet(SEED);
    const inputRange = [
      [-2.1, 2.3],
      [0.5, 1.5],
      [-3, -1],
    ] as const;
    const graph = quantized(net, { inputRange });
    const pixels = picture(net.input, createRandom(SEED, 2));
    const real = Float64Array.from(pixels, (pixel, i) => {
      const [low, high] = inputRange[i % 3]!;
      return low + (pixel / 255) * (high - low);
    });
    const expected = runFloatStage(net.stages[0]!, real);
    const actual = runQuantizedGraph(graph, pixels, inputRange)[0]!;
    const stage = graph.stages[0] as QuantizedConv;
    // Half a level, and what rounded weights and pixels move a sum of 27 products by.
    const largest = Math.max(...expected.map((value, i) => Math.abs(value - actual[i]! * stage.outputScale)));
    expect(largest).toBeLessThan(0.06);
  });

  test('a calibration narrows the range, the activation bounds it', () => {
    const scaleOf = (clamp: InferenceConv['clamp'], range: number) => {
      const [stage] = quantized(tiny({ clamp }), { inputRange: RANGE, ranges: [range, 1] }).stages;
      return stage && 'outputScale' in stage ? stage.outputScale : undefined;
    };
    expect(scaleOf(RELU6, 4)).toBe(Math.fround(4 / 127));
    expect(scaleOf(RELU6, 9)).toBe(Math.fround(6 / 127));
    expect(scaleOf(RELU, 9)).toBe(Math.fround(9 / 127));
  });

  test('all stages before the global average are integers', () => {
    const kinds = (graph: InferenceGraph) => quantized(graph).stages.map(({ kind }) => kind);
    const net = smallNet(SEED);
    const first = ['int8Conv', 'int8Depthwise', 'int8Conv', 'int8Depthwise', 'int8Conv'];
    expect(kinds(net)).toEqual([...first, 'pool', 'conv']);
    expect(kinds(graphOf(...net.stages.slice(0, 5)))).toEqual([...first.slice(0, 4), 'conv']);
  });

  test(`four sums fit 16 bits (seed ${SEED})`, () => {
    const random = createRandom(SEED);
    const wide = conv('wide', square(2, 20), square(2, 9), windowOf(3), random);
    // Of equal weights every four are too large, of normal ones few.
    const kernel = wide.kernel.map((weight, i) => [weight, 0.1, -0.1][i % 3]!);
    const stem = conv('stem', square(2, 3), square(2, 20), windowOf(1), random);
    const [, stage] = quantized(graphOf(stem, { ...wide, kernel }, wide)).stages;
    if (stage?.kind !== 'int8Conv') throw new Error('not quantised');
    let largest = 0;
    for (let tap = 0; tap < 9; tap++) {
      for (let f = 0; f < 9; f++) {
        for (let c = 0; c < 20; c += 8) {
          for (const four of [
            [0, 1, 4, 5],
            [2, 3, 6, 7],
          ]) {
            for (const sign of [-1, 1]) {
              const weights = four.map((i) => (c + i < 20 ? stage.kernel[(tap * 20 + c + i) * 9 + f]! : 0));
              largest = Math.max(
                largest,
                weights.reduce((sum, weight) => sum + Math.max(0, sign * weight), 0),
              );
            }
          }
        }
      }
    }
    expect(largest).toBeLessThanOrEqual(258);
    expect(largest).toBeGreaterThan(250);
  });

  test('a channel of tiny weights, or of none, keeps its bias', () => {
    for (const weight of [0, 1e-30, 1e-9]) {
      const graph = tiny({ kernel: Float32Array.of(weight), bias: Float32Array.of(3.3) });
      const [bytes] = runQuantizedGraph(quantized(graph), [200], RANGE);
      expect(bytes![0]).toBe(Math.round((3.3 / 6) * 127));
    }
  });

  describe('names the layer that it cannot quantise', () => {
    const net = smallNet(SEED);
    const withClamp = (i: number, clamp: InferenceConv['clamp']): InferenceGraph => {
      const stages = net.stages.map((stage, j) => (j === i && stage.kind !== 'pool' ? { ...stage, clamp } : stage));
      return { ...net, stages };
    };
    const withNan = (name: 'kernel' | 'bias'): InferenceGraph => {
      const nan = Float32Array.of(Number.NaN);
      const stages = net.stages.map((stage, j) => (j === 2 ? { ...stage, [name]: nan } : stage));
      return { ...net, stages };
    };
    test.each([
      ['no activation', withClamp(2, NONE), undefined, 'pw1', /^has no ReLU6 or ReLU/],
      ['a weight that is NaN', withNan('kernel'), undefined, 'pw1', /^has weights that are not finite/],
      ['a bias that is NaN', withNan('bias'), undefined, 'pw1', /^has weights that are not finite/],
      ['a ReLU without a calibration', withClamp(3, RELU), undefined, 'dw2', /^ends in a ReLU/],
      ['nothing above 0', net, [1, 0, 1, 1, 1], 'dw1', /^gave nothing above 0/],
      ['not a convolution of the picture', graphOf(...net.stages.slice(1)), undefined, 'dw1', /^comes first/],
      ['only the last layer', graphOf(net.stages[0]!), undefined, 'stem', /^leaves nothing to quantise/],
      ['an average first', graphOf(...net.stages.slice(5)), undefined, 'pool', /^leaves nothing to quantise/],
    ])('%s', (_, graph, ranges, layerName, reason) => {
      const result = unsupported(graph, { inputRange: RANGE, ranges });
      expect(result).toEqual({ layerName, reason: expect.stringMatching(reason) });
    });

    test('sums beyond 32 bits', () => {
      const input = square(60, 3);
      const dense = conv('dense', input, square(1, 1), { ...windowOf(60), padTop: 0, padLeft: 0 }, createRandom(SEED));
      const graph = graphOf({ ...dense, kernel: dense.kernel.fill(1) }, dense);
      // 10,800 weights of 127 times at most 255, and times at most 32,767.
      expect(quantized(graph).stages).toHaveLength(2);
      expect(unsupported(graph, { inputRange: [100, 101] })).toMatchObject({ layerName: 'dense', reason: /32 bits/ });
    });

    test('sums of more than 2^23 steps of the output, which the kernels cannot round', () => {
      const graph = tiny({ kernel: Float32Array.of(1) });
      // The picture goes up to 1, in steps of ranges[0] / 127.
      const steps = (count: number) => ({ inputRange: RANGE, ranges: [127 / count] });
      expect(quantized(graph, steps(2 ** 22)).stages).toHaveLength(graph.stages.length);
      expect(unsupported(graph, steps(2 ** 24))).toMatchObject({ layerName: graph.stages[0]!.name });
    });
  });

  test(`a stage is as near as its roundings are small (seed ${SEED})`, () => {
    const net = smallNet(SEED);
    const graph = quantized(net);
    const pixels = picture(net.input, createRandom(SEED, 1));
    let values: ArrayLike<number> = quantizePixels(pixels, RANGE, graph.inputScale);
    let scale = graph.inputScale;
    graph.stages.forEach((stage, i) => {
      const float = net.stages[i]!;
      if (!('outputScale' in stage) || float.kind === 'pool') return;
      const real = Float64Array.from(values, (value) => value * scale);
      const expected = runFloatStage(float, real);
      const actual = runQuantizedStage(stage, values);
      // Half a level of the output; half a scale of every weight, and of the bias.
      const ones = { ...float, kernel: float.kernel.map(() => 1), bias: float.bias.map(() => 0), clamp: NONE };
      const magnitudes = runFloatStage(ones, real.map(Math.abs));
      expected.forEach((value, j) => {
        const weightScale = (stage.multipliers[j % stage.bias.length]! * stage.outputScale) / scale;
        const bound = stage.outputScale / 2 + (weightScale / 2) * (magnitudes[j]! + scale) + 1e-5;
        expect(Math.abs(actual[j]! * stage.outputScale - value)).toBeLessThanOrEqual(bound);
      });
      values = actual;
      scale = stage.outputScale;
    });
  });

  test.each([1, 2, 3, 4])('logits differ by less than 4 %% of their size from the float ones (seed %i)', (seed) => {
    const net = smallNet(seed);
    const random = createRandom(seed, 1);
    let [errors, size] = [0, 0];
    for (let i = 0; i < 4; i++) {
      const pixels = picture(net.input, random);
      let float: ArrayLike<number> = Float64Array.from(pixels, (byte) => byte / 127.5 - 1);
      for (const stage of net.stages) float = runFloatStage(stage, float);
      const integer = runQuantizedGraph(quantized(net), pixels, RANGE).at(-1)!;
      for (let c = 0; c < float.length; c++) {
        errors += (integer[c]! - float[c]!) ** 2;
        size += float[c]! ** 2;
      }
    }
    expect(Math.sqrt(errors / size)).toBeLessThan(0.04);
  });
});
