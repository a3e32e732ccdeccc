/**
 * A whole number near `fraction` of each size, so that their sum is near that of the sum: the largest remainders are
 * rounded up. Of two and more it is at least one, and leaves one; of one it is none.
 */
export function roundShares(sizes: readonly number[], fraction: number): number[] {
  const shares = sizes.map((size) => (size < 2 ? 0 : Math.min(Math.max(Math.floor(fraction * size), 1), size - 1)));
  const total = Math.round(fraction * sum(sizes));
  for (let step = Math.sign(total - sum(shares)); step !== 0; step = Math.sign(total - sum(shares))) {
    const need = (k: number) => step * (fraction * sizes[k]! - shares[k]!);
    const canMove = (k: number) => shares[k]! + step >= 1 && shares[k]! + step < sizes[k]!;
    const movable = [...sizes.keys()].filter(canMove);
    if (movable.length === 0) break;
    shares[movable.reduce((best, k) => (need(k) > need(best) ? k : best))]! += step;
  }
  return shares;
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
