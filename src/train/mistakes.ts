/** A picture that was classified wrong. */
export interface Mistake {
  /** In the dataset. */
  index: number;
  /** Its class. */
  label: number;
  /** The class that was taken for it. */
  predicted: number;
  /** That class's probability, by the model. */
  probability: number;
}

/** How many {@link mostConfident} keeps. */
const MAX_MISTAKES = 25;

/** The mistakes whose wrong class was given the highest probability, the most confident first; at most 25. */
export function mostConfident(mistakes: readonly Mistake[]): Mistake[] {
  return [...mistakes].sort((a, b) => b.probability - a.probability || a.index - b.index).slice(0, MAX_MISTAKES);
}
