import type { RunStep } from '../protocol';

/** More points than this no chart can show. */
const MOST_POINTS = 1000;

export type CurvePoint = Pick<RunStep, 'epoch' | 'loss' | 'accuracy' | 'imagesPerSecond'>;

/**
 * The curve of a training within its epochs: however long it is, a limited number of points, evenly over all of it, oldest
 * first. The last one is the newest.
 */
export class Curve {
  #points: CurvePoint[];
  /** Points that were added for each one that is kept. */
  #stride = 1;
  /** Of those, how many the last one stands for so far. */
  #inLast = 1;

  constructor(points: readonly CurvePoint[] = []) {
    this.#points = [...points];
  }

  get points(): readonly CurvePoint[] {
    return this.#points;
  }

  add(point: CurvePoint): void {
    // A training that went back to its checkpoint takes some steps again.
    while (this.#points.length > 0 && this.#points.at(-1)!.epoch >= point.epoch) this.#points.pop();
    if (this.#inLast < this.#stride && this.#points.length > 0) {
      this.#points[this.#points.length - 1] = point;
      this.#inLast += 1;
      return;
    }
    if (this.#points.length >= MOST_POINTS) {
      this.#points = this.#points.filter((_, i) => i % 2 === 1);
      this.#stride *= 2;
    }
    this.#points.push(point);
    this.#inLast = 1;
  }
}
