// Optimizer steps, elementwise over begin <= i < end, both multiples of 4, defined as in tfjs. `w` becomes `wOut`,
// another buffer, so that the weights of a step that is not finite can be dropped; the optimizer's own state is updated
// in place. Where w, g and the state are 0, as in padding, they stay 0. Factors like 1 - beta2 are formed in float64,
// because 1 - 0.999f is wrong in the fifth digit.
//
// A gradient counts `gradientScale` times: below, g is what that makes of it. `weightDecay` is decoupled from the gradient
// (Loshchilov and Hutter 2019): before the update, w * (1 - learningRate * weightDecay) takes the place of w. It is formed by
// a subtraction from w, for 1 - learningRate * weightDecay in float32 would round the decay to a few digits.
import { multiplyAdd } from '../simd';

/** Gradient descent: `wOut = w - learningRate * g`. */
export function f32Sgd(
  w: usize, wOut: usize, g: usize, learningRate: f64, gradientScale: f64, weightDecay: f64, begin: i32, end: i32,
): void {
  const rate = f32x4.splat(<f32>-learningRate);
  const scale = f32x4.splat(<f32>gradientScale);
  const shrink = f32x4.splat(<f32>(learningRate * weightDecay));
  for (let at = <usize>begin << 2, last = <usize>end << 2; at < last; at += 16) {
    const gradient = f32x4.mul(v128.load(g + at), scale);
    const weights = v128.load(w + at);
    v128.store(wOut + at, multiplyAdd(gradient, rate, f32x4.sub(weights, f32x4.mul(weights, shrink))));
  }
}

/**
 * Gradient descent with momentum, Nesterov's or the classical.
 *
 *     velocity = momentum * velocity + g
 *     wOut = w - learningRate * (nesterov ? g + momentum * velocity : velocity)
 */
export function f32Momentum(
  w: usize, wOut: usize, g: usize, velocity: usize, learningRate: f64, momentum: f64, nesterov: bool,
  gradientScale: f64, weightDecay: f64, begin: i32, end: i32,
): void {
  const rate = f32x4.splat(<f32>-learningRate);
  const keep = f32x4.splat(<f32>momentum);
  const scale = f32x4.splat(<f32>gradientScale);
  const shrink = f32x4.splat(<f32>(learningRate * weightDecay));
  for (let at = <usize>begin << 2, last = <usize>end << 2; at < last; at += 16) {
    const gradient = f32x4.mul(v128.load(g + at), scale);
    const speed = multiplyAdd(v128.load(velocity + at), keep, gradient);
    v128.store(velocity + at, speed);
    const direction = nesterov ? multiplyAdd(speed, keep, gradient) : speed;
    const weights = v128.load(w + at);
    v128.store(wOut + at, multiplyAdd(direction, rate, f32x4.sub(weights, f32x4.mul(weights, shrink))));
  }
}

/**
 * Adam, epsilon beside the bias-corrected root, as in tfjs and PyTorch.
 *
 *     m = beta1 * m + (1 - beta1) * g
 *     v = beta2 * v + (1 - beta2) * g * g
 *     wOut = w - learningRate * (m / correction1) / (sqrt(v / correction2) + epsilon)
 *
 * In step t = 1, 2, ... `correction1` is 1 - beta1^t and `correction2` is 1 - beta2^t; epsilon > 0.
 * Source: Kingma and Ba 2015, algorithm 1; with weight decay Loshchilov and Hutter 2019, algorithm 2.
 */
export function f32Adam(
  w: usize, wOut: usize, g: usize, m: usize, v: usize, learningRate: f64, beta1: f64, beta2: f64, epsilon: f64,
  correction1: f64, correction2: f64, gradientScale: f64, weightDecay: f64, begin: i32, end: i32,
): void {
  const keep1 = f32x4.splat(<f32>beta1);
  const take1 = f32x4.splat(<f32>(1 - beta1));
  const keep2 = f32x4.splat(<f32>beta2);
  const take2 = f32x4.splat(<f32>(1 - beta2));
  const epsilons = f32x4.splat(<f32>epsilon);
  const rate = f32x4.splat(<f32>(learningRate / correction1));
  const unbias2 = f32x4.splat(<f32>(1 / correction2));
  const scale = f32x4.splat(<f32>gradientScale);
  const shrink = f32x4.splat(<f32>(learningRate * weightDecay));
  for (let at = <usize>begin << 2, last = <usize>end << 2; at < last; at += 16) {
    const gradient = f32x4.mul(v128.load(g + at), scale);
    const first = multiplyAdd(v128.load(m + at), keep1, f32x4.mul(gradient, take1));
    const second = multiplyAdd(v128.load(v + at), keep2, f32x4.mul(f32x4.mul(gradient, gradient), take2));
    v128.store(m + at, first);
    v128.store(v + at, second);
    const root = f32x4.add(f32x4.sqrt(f32x4.mul(second, unbias2)), epsilons);
    const weights = v128.load(w + at);
    const change = multiplyAdd(weights, shrink, f32x4.div(f32x4.mul(first, rate), root));
    v128.store(wOut + at, f32x4.sub(weights, change));
  }
}

/**
 * RMSprop, epsilon inside of the root, as in tfjs; velocity = 0 (absent): no momentum.
 *
 *     meanSquare = decay * meanSquare + (1 - decay) * g * g
 *     velocity = momentum * velocity + learningRate * g / sqrt(meanSquare + epsilon)
 *     wOut = w - velocity
 *
 * epsilon > 0. Source: Tieleman and Hinton 2012, lecture 6.5.
 */
export function f32Rmsprop(
  w: usize, wOut: usize, g: usize, meanSquare: usize, velocity: usize, learningRate: f64, decay: f64, momentum: f64,
  epsilon: f64, gradientScale: f64, weightDecay: f64, begin: i32, end: i32,
): void {
  const keep = f32x4.splat(<f32>decay);
  const take = f32x4.splat(<f32>(1 - decay));
  const rate = f32x4.splat(<f32>learningRate);
  const inertia = f32x4.splat(<f32>momentum);
  const epsilons = f32x4.splat(<f32>epsilon);
  const scale = f32x4.splat(<f32>gradientScale);
  const shrink = f32x4.splat(<f32>(learningRate * weightDecay));
  for (let at = <usize>begin << 2, last = <usize>end << 2; at < last; at += 16) {
    const gradient = f32x4.mul(v128.load(g + at), scale);
    const square = multiplyAdd(v128.load(meanSquare + at), keep, f32x4.mul(f32x4.mul(gradient, gradient), take));
    v128.store(meanSquare + at, square);
    let change = f32x4.div(f32x4.mul(gradient, rate), f32x4.sqrt(f32x4.add(square, epsilons)));
    if (velocity != 0) {
      change = multiplyAdd(v128.load(velocity + at), inertia, change);
      v128.store(velocity + at, change);
    }
    const weights = v128.load(w + at);
    v128.store(wOut + at, f32x4.sub(weights, multiplyAdd(weights, shrink, change)));
  }
}

/** 1 where no value is NaN or infinite, otherwise 0. */
export function f32AllFinite(x: usize, begin: i32, end: i32): bool {
  const exponent = i32x4.splat(0x7f800000);
  let broken = i32x4.splat(0);
  for (let at = x + (<usize>begin << 2), last = x + (<usize>end << 2); at < last; at += 16) {
    broken = v128.or(broken, i32x4.eq(v128.and(v128.load(at), exponent), exponent));
  }
  return !v128.any_true(broken);
}
