import type { Probe } from './measure';

/**
 * How far losses and probabilities of the same network may lie apart. Batch norm over the few pixels of the last layers
 * makes much of last bits in training; a gradient that is wrong makes more.
 */
const LOSS_BOUND = 1e-2;
const PROBABILITY_BOUND = 1e-4;

/** What a runtime came to. */
export interface NamedProbe extends Pick<Probe, 'losses' | 'probabilities'> {
  name: string;
}

/** Which runtime computes otherwise than the first, with the numbers; undefined where all agree. */
export function disagreement([first, ...others]: readonly NamedProbe[]): string | undefined {
  const other = others.find((probe) => !agree(first!, probe));
  if (other === undefined) return undefined;
  const show = ({ name, losses, probabilities }: NamedProbe) =>
    `${name}: losses ${losses.join(', ')}; probabilities ${probabilities.join(', ')}`;
  return `The runtimes disagree, so that their speed means nothing.\n${show(first!)}\n${show(other)}`;
}

function agree(a: NamedProbe, b: NamedProbe): boolean {
  return distance(a.losses, b.losses) < LOSS_BOUND && distance(a.probabilities, b.probabilities) < PROBABILITY_BOUND;
}

/** NaN, which is below no bound, where a number is missing or is none. */
function distance(a: readonly number[], b: readonly number[]): number {
  const length = Math.max(a.length, b.length);
  return Math.max(...Array.from({ length }, (_, i) => Math.abs((a[i] ?? Number.NaN) - (b[i] ?? Number.NaN))));
}
