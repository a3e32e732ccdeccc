/** A place on an axis of `length` pixels, reflected about the border pixels: -1 is 1, `length` is `length - 2`. */
export function reflect(place: number, length: number): number {
  if (place >= 0 && place < length) return place;
  if (length === 1) return 0;
  const period = 2 * (length - 1);
  const within = ((place % period) + period) % period;
  return within < length ? within : period - within;
}
