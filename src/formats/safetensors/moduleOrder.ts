/**
 * Compares the paths of two modules by the order in which a network has them, as far as names tell: numbers count, the
 * stem comes first and the classifier last, a depthwise convolution before a pointwise one, a convolution before its
 * batch norm, and that before the modules that have others inside.
 *
 * Files of tensors are sorted by the letter, so their order says nothing.
 */
export function compareModules(a: readonly string[], b: readonly string[]): number {
  for (let i = 0; i < Math.min(a.length, b.length); i++) {
    if (a[i] === b[i]) continue;
    const left = placeOf(a[i]!, i === a.length - 1);
    const right = placeOf(b[i]!, i === b.length - 1);
    // Infinity minus itself is no number.
    const differing = left.findIndex((value, at) => value !== right[at]);
    if (differing >= 0) return left[differing]! < right[differing]! ? -1 : 1;
    return a[i]! < b[i]! ? -1 : 1;
  }
  return a.length - b.length;
}

const STEM = word('stem', 'first', 'init');
const HEAD = word('classifier', 'dense', 'fc', 'head', 'linear', 'logits', 'output', 'predictions', 'preds');
const CONVOLUTION = /conv/i;
const DEPTHWISE = word('dw', 'depthwise');
const POINTWISE = word('pw', 'pointwise');
const NORM = word('bn', 'norm', 'normalization', 'batchnorm');

/** A part of a name between underscores, with a number behind it or none. */
function word(...words: string[]): RegExp {
  return new RegExp(`(^|_)(${words.join('|')})\\d*(_|$)`, 'i');
}

/** Three numbers to sort by. */
function placeOf(name: string, isLast: boolean): [step: number, part: number, rank: number] {
  const number = name
    .replace(/[123]d\b/i, '')
    .match(/\d+/g)
    ?.at(-1);
  const isPointwise = POINTWISE.test(name);
  const rank = NORM.test(name) ? 1 : isLast || CONVOLUTION.test(name) || isPointwise || DEPTHWISE.test(name) ? 0 : 2;
  if (STEM.test(name)) return [0, 0, rank];
  // A convolution called conv_head has a batch norm bn2 behind it, and a classifier.
  if (HEAD.test(name))
    return [CONVOLUTION.test(name) && !/preds|logits/i.test(name) ? 2 : Number.POSITIVE_INFINITY, 0, rank];
  if (number !== undefined) return [Number(number), isPointwise ? 2 : DEPTHWISE.test(name) ? 1 : 0, rank];
  return [isPointwise ? 2 : 1, 0, rank];
}
