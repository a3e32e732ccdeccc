/** One class and how probable it is. */
export interface Classification {
  className: string;
  /** Where the class stands among the classifier's `classNames`. */
  classIndex: number;
  /** From 0 to 1; over all classes they add up to 1. */
  probability: number;
}

/**
 * The most probable classes, sorted by their probability; equal ones by their index.
 *
 * @param count how many; all of them where there are fewer
 */
export function topClasses(
  probabilities: ArrayLike<number>,
  classNames: readonly string[],
  count: number,
): Classification[] {
  const best: number[] = [];
  for (let k = 0; k < probabilities.length; k++) {
    if (best.length === count) {
      if (probabilities[k]! <= probabilities[best.at(-1)!]!) continue;
      best.pop();
    }
    let place = best.length;
    while (place > 0 && probabilities[best[place - 1]!]! < probabilities[k]!) place--;
    best.splice(place, 0, k);
  }
  return best.map((classIndex) => ({
    className: classNames[classIndex]!,
    classIndex,
    probability: probabilities[classIndex]!,
  }));
}
