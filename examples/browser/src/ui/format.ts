export const percent = (share: number, digits = 1): string => `${(100 * share).toFixed(digits)}\u00a0%`;

export const count = (value: number): string => value.toLocaleString('en');

/** 'one picture', '20 pictures'. */
export const plural = (value: number, noun: string): string =>
  `${value === 1 ? 'one' : count(value)} ${noun}${value === 1 ? '' : 's'}`;

export function duration(seconds: number): string {
  if (!Number.isFinite(seconds)) return '–';
  if (seconds < 90) return `${Math.ceil(seconds)} s`;
  if (seconds < 5400) return `${Math.round(seconds / 60)} min`;
  return `${(seconds / 3600).toFixed(1)} h`;
}

export function ago(time: number): string {
  const seconds = (Date.now() - time) / 1000;
  return seconds < 60 ? 'just now' : `${duration(seconds)} ago`;
}

/** Some of a list, and how many more there are. */
export function someOf(names: readonly string[], most: number): string {
  if (names.length <= most) return names.join(', ');
  return `${names.slice(0, most).join(', ')} and ${count(names.length - most)} more`;
}
