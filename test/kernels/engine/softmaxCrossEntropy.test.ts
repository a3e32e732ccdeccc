import { describe, expect, test } from 'vitest';
import { createRandom } from '../../../src/random';
import { createArena, flavours } from './arena';
import { sharesOf, uniform, worstError } from './values';

// N pictures, K classes, K8 = K rounded up to a multiple of 8.

const SEED = 38;
const N = 6;
const EPSILON = 1e-7;

interface Case {
  K: number;
  /** How targets are made of the labels: rows of random numbers add up to anything. */
  kind: 'one-hot' | 'smoothed' | 'random';
  clip: boolean;
  /** Logits reach from -reach to reach; large ones make probabilities that the clip cuts. */
  reach: number;
}

const cases: Case[] = [1, 2, 8, 10, 21].flatMap((K) =>
  (['one-hot', 'smoothed', 'random'] as const).flatMap((kind) =>
    [true, false].flatMap((clip) => [2, 30, 300].map((reach) => ({ K, kind, clip, reach }))),
  ),
);

/** `[N,K]` */
function targetsOf({ K, kind }: Case, labels: Int32Array): Float32Array {
  if (kind === 'random') return uniform(N * K, SEED + 3, 0, 2);
  const smoothing = kind === 'smoothed' ? 0.1 : 0;
  return Float32Array.from({ length: N * K }, (_, i) => {
    return (i % K === labels[Math.floor(i / K)] ? 1 - smoothing : 0) + smoothing / K;
  });
}

function dataOf(c: Case) {
  const { K, reach } = c;
  const K8 = Math.ceil(K / 8) * 8;
  const random = createRandom(SEED, K);
  const isReal = (_: number, i: number) => i % K8 < K;
  const labels = Int32Array.from({ length: N }, () => random.integer(K));
  return {
    K8,
    z: uniform(N * K8, SEED, -reach, reach),
    scale: uniform(K8, SEED + 1, 0.5, 1).map((v, i) => (isReal(v, i) ? v : 0)),
    offset: uniform(K8, SEED + 2).map((v, i) => (isReal(v, i) ? v : 0)),
    labels,
    targets: targetsOf(c, labels),
  };
}

/** One row by the chain rule: the loss's gradient of each p, through the clip, times the softmax's Jacobian. */
function expectedRow(logits: number[], y: Float32Array, clip: boolean) {
  const largest = Math.max(...logits);
  const total = logits.reduce((sum, z) => sum + Math.exp(z - largest), 0);
  const logP = logits.map((z) => z - largest - Math.log(total));
  const p = logP.map(Math.exp);
  const isCut = p.map((value) => clip && (value < EPSILON || value > 1 - EPSILON));
  const bound = (value: number) => Math.log(value < 0.5 ? EPSILON : 1 - EPSILON);
  const loss = -y.reduce((sum, value, k) => sum + value * (isCut[k] ? bound(p[k]!) : logP[k]!), 0);
  // dL/dp[k] * p[k], which stays finite where p is 0.
  const weight = Array.from(y, (value, k) => (isCut[k] ? 0 : -value));
  const gradient = p.map((_, j) => weight.reduce((sum, w, k) => sum + w * ((k === j ? 1 : 0) - p[j]!), 0) / N);
  const size = y.reduce((sum, value) => sum + value, 0);
  return { p, loss, gradient, size, best: logits.indexOf(largest) };
}

function expectedOf(c: Case) {
  const { K8, z, scale, offset, labels, targets } = dataOf(c);
  return Array.from(labels, (label, n) => {
    const logits = Array.from({ length: c.K }, (_, k) => scale[k]! * z[n * K8 + k]! + offset[k]!);
    return { label, logits, ...expectedRow(logits, targets.subarray(n * c.K, (n + 1) * c.K), c.clip) };
  });
}

const title = 'f32SoftmaxCrossEntropy, %s: losses within 1e-12 of 1 + themselves, outputs within 1e-7';

describe.each(flavours)(`${title}, gradients within 1e-7 of a row's sum of targets / N (seed ${SEED})`, (_, module) => {
  function run(c: Case, z: Float32Array, shares = sharesOf(N)[0]!, isTraining = true) {
    const { K8, scale, offset, labels, targets } = dataOf(c);
    const arena = createArena(module, 1);
    const dlogits = arena.floats(new Float32Array(N * K8).fill(Number.NaN));
    const outputs = arena.floats(new Float32Array(N * c.K).fill(Number.NaN));
    const losses = arena.doubles(new Float64Array(N).fill(Number.NaN));
    const correct = arena.integers(new Int32Array(N).fill(-1));
    const source = [arena.floats(z), arena.floats(scale), arena.floats(offset)] as const;
    const inputs = [...source, arena.integers(labels), arena.floats(targets)] as const;
    for (const [begin, end] of shares) {
      arena.kernels.f32SoftmaxCrossEntropy(
        ...([...inputs, isTraining ? dlogits : 0, isTraining ? outputs : 0, losses, correct] as const),
        ...([N, c.K, K8, c.clip, begin, end] as const),
      );
    }
    return {
      dlogits: arena.readFloats(dlogits, N * K8),
      outputs: arena.readFloats(outputs, N * c.K),
      losses: arena.readDoubles(losses, N),
      correct: arena.readIntegers(correct, N),
    };
  }

  test.each(cases)('$K classes, $kind targets, clip $clip, logits up to $reach', (c) => {
    const { K8, z } = dataOf(c);
    const rows = expectedOf(c);
    const actual = run(c, z);
    const losses = rows.map((row) => row.loss);
    expect(
      worstError(
        actual.losses,
        losses,
        losses.map((loss) => 1 + loss),
      ),
    ).toBeLessThan(1e-12);
    expect(Array.from(actual.correct)).toEqual(rows.map((row) => (row.best === row.label ? 1 : 0)));
    const outputs = rows.flatMap((row) => (c.clip ? row.p : row.logits));
    expect(
      worstError(
        actual.outputs,
        outputs,
        outputs.map((value) => Math.abs(value) + 1e-30),
      ),
    ).toBeLessThan(1e-7);
    const gradients = rows.flatMap((row) => Array.from({ length: K8 }, (_, k) => row.gradient[k] ?? 0));
    expect(
      worstError(
        actual.dlogits,
        gradients,
        rows.flatMap(({ size }) => new Array(K8).fill(size / N)),
      ),
    ).toBeLessThan(1e-7);
    for (let i = 0; i < N * K8; i++) if (i % K8 >= c.K) expect(actual.dlogits[i]).toBe(0);

    expect(run(c, z, sharesOf(N)[1])).toEqual(actual);
    const evaluated = run(c, z, sharesOf(N)[0], false);
    expect([evaluated.losses, evaluated.correct]).toEqual([actual.losses, actual.correct]);
    expect(evaluated.dlogits).toEqual(new Float32Array(N * K8).fill(Number.NaN));
  });

  test('the cases reach both bounds of the clip, at the label and beside it', () => {
    const rows = cases.filter((c) => c.clip).flatMap(expectedOf);
    const of = (isLabel: boolean) => rows.flatMap((row) => row.p.filter((_, k) => (k === row.label) === isLabel));
    for (const values of [of(true), of(false)]) {
      expect(values.some((p) => p < EPSILON)).toBe(true);
      expect(values.some((p) => p > 1 - EPSILON)).toBe(true);
      expect(values.some((p) => p > 0.1 && p < 0.9)).toBe(true);
    }
  });

  test('of equal logits the first counts as the answer', () => {
    const c: Case = { K: 3, kind: 'one-hot', clip: false, reach: 0 };
    const arena = createArena(module, 1);
    const [z, ones, zeros] = [new Float32Array(24), new Float32Array(8).fill(1), new Float32Array(8)];
    const [losses, correct] = [arena.doubles([0, 0, 0]), arena.integers([9, 9, 9])];
    arena.kernels.f32SoftmaxCrossEntropy(
      ...([arena.floats(z), arena.floats(ones), arena.floats(zeros), arena.integers([0, 1, 2])] as const),
      ...([arena.floats(new Float32Array(9)), 0, 0, losses, correct, 3, c.K, 8, false, 0, 3] as const),
    );
    expect(Array.from(arena.readIntegers(correct, 3))).toEqual([1, 0, 0]);
  });

  test('a NaN or infinite logit makes the loss of its row NaN, and no other', () => {
    for (const clip of [true, false]) {
      for (const broken of [Number.NaN, Number.POSITIVE_INFINITY]) {
        for (const k of [0, 1, 9]) {
          const c: Case = { K: 10, kind: 'one-hot', clip, reach: 2 };
          const { K8, z } = dataOf(c);
          z[2 * K8 + k] = broken;
          const { losses } = run(c, z);
          expect(Array.from(losses, Number.isNaN)).toEqual([false, false, true, false, false, false]);
        }
      }
    }
  });
});
