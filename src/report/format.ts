const NONE = '–';

/** Keeps a number and its unit on one line. */
const SPACE = '\u00a0';

/** 0.8731 as "87.31 %". */
export function percent(fraction: number | undefined, digits = 2): string {
  return isNumber(fraction) ? `${(100 * fraction).toFixed(digits)}${SPACE}%` : NONE;
}

/** With so many digits behind the point. */
export function decimal(value: number | undefined, digits: number): string {
  return isNumber(value) ? value.toFixed(digits) : NONE;
}

/** With at most four significant digits: 0.05, 0.001234, 3e-7. */
export function significant(value: number | undefined): string {
  return isNumber(value) ? String(Number(value.toPrecision(4))) : NONE;
}

/** 391000 as "391,000". */
export function count(value: number): string {
  return isNumber(value) ? String(Math.round(value)).replace(/\B(?=(\d{3})+$)/g, ',') : NONE;
}

/** Pictures a second: 2913 as "2,913", 0.34 as "0.3". */
export function speed(value: number): string {
  return value < 10 ? decimal(value, 1) : count(value);
}

/** 1 as "1 epoch", 2 as "2 epochs". */
export function counted(value: number, noun: string, plural = `${noun}s`): string {
  return `${count(value)}${SPACE}${value === 1 ? noun : plural}`;
}

/** Seconds as "42 s", "3 min 20 s" or "2 h 5 min". */
export function duration(seconds: number): string {
  if (!isNumber(seconds)) return NONE;
  const whole = Math.round(seconds);
  if (whole < 60) return `${whole}${SPACE}s`;
  const minutes = Math.floor(whole / 60);
  return minutes < 60
    ? join(minutes, 'min', whole % 60, 's')
    : join(Math.floor(minutes / 60), 'h', minutes % 60, 'min');
}

function join(...parts: (number | string)[]): string {
  return parts.join(SPACE);
}

function isNumber(value: number | undefined): value is number {
  return Number.isFinite(value);
}
