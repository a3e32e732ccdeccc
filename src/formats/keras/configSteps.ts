import type { Steps } from '../networkWeights';

/** How the window of a convolution moves, as far as its configuration says. */
export function configSteps(config: Readonly<Record<string, unknown>> | undefined): Steps {
  return { strides: pairOf(config?.strides), dilationRate: pairOf(config?.dilation_rate) };
}

function pairOf(value: unknown): readonly number[] | undefined {
  const isPair = Array.isArray(value) && value.length === 2 && value.every((item) => typeof item === 'number');
  return isPair ? value : undefined;
}
