/** Cells in columns: the first `left` of them to the left, the others, numbers, to the right. */
export function table(head: readonly string[], rows: readonly (readonly string[])[], left = 1): string {
  const all = [head, ...rows];
  const widths = head.map((_, column) => Math.max(...all.map((row) => row[column]!.length)));
  return all
    .map((row) =>
      row
        .map((cell, column) => (column < left ? cell.padEnd(widths[column]!) : cell.padStart(widths[column]!)))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

/** 0.123 as "12.3 %"; what is not known as "?". */
export function percent(fraction: number | undefined): string {
  return fraction === undefined || Number.isNaN(fraction) ? '?' : `${(100 * fraction).toFixed(1)} %`;
}

/** Digits in groups of three. */
export function grouped(value: number): string {
  return value.toLocaleString('en-US');
}

/** 1234567 as "1.2 MB". */
export function fileSize(bytes: number): string {
  return bytes < 1e6 ? `${(bytes / 1e3).toFixed(1)} kB` : `${(bytes / 1e6).toFixed(1)} MB`;
}

/** Three significant digits, or all before the point. */
export function rounded(value: number): string {
  return value >= 100 ? value.toFixed(0) : value.toPrecision(3);
}
