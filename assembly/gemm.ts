// The pieces that the matrix products share. Tiles are 4 rows by 8 columns: their 8 accumulators, 2 loads of B and a
// splat of A fit the 16 vector registers that V8 has on x64; a larger tile spills.

/** Rows of a tile. */
export const TILE_ROWS: i32 = 4;
/** Columns of a tile, and so the width of a packed panel of B. */
export const TILE_COLUMNS: i32 = 8;
/** Bytes of a tile that hangs over the edge of its matrix, before `writeEdge` cuts it. */
export const EDGE_BYTES: usize = 4 * 8 * 4;

/** `value` rounded up to a multiple of `unit`. */
export function roundUp(value: i32, unit: i32): i32 {
  return ((value + unit - 1) / unit) * unit;
}

/**
 * Packs `source[rows, columns]` into panels of 8 columns, `panels[columns / 8][panelRows][8]`, zeros past the last column.
 */
export function packPanels(source: usize, panels: usize, rows: i32, columns: i32, panelRows: i32): void {
  const rowBytes = <usize>columns << 2;
  const panelBytes = <usize>panelRows << 5;
  const full = columns & ~7;
  for (let column = 0; column < full; column += TILE_COLUMNS) {
    let from = source + (<usize>column << 2);
    let to = panels;
    const end = to + (<usize>rows << 5);
    while (to < end) {
      v128.store(to, v128.load(from));
      v128.store(to, v128.load(from, 16), 16);
      from += rowBytes;
      to += 32;
    }
    panels += panelBytes;
  }
  if (full == columns) return;
  for (let row = 0; row < rows; row++) {
    const from = source + <usize>row * rowBytes;
    const to = panels + (<usize>row << 5);
    for (let column = 0; column < TILE_COLUMNS; column++) {
      const value = full + column < columns ? load<f32>(from + (<usize>(full + column) << 2)) : 0;
      store<f32>(to + (<usize>column << 2), value);
    }
  }
}

/**
 * Packs the transpose of `source[columns, rows]` as `packPanels` would, `panels[columns / 8][rows][8]`.
 */
export function packPanelsTransposed(source: usize, panels: usize, rows: i32, columns: i32): void {
  const rowBytes = <usize>rows << 2;
  const padded = roundUp(columns, TILE_COLUMNS);
  for (let column = 0; column < padded; column += 4) {
    const from = source + <usize>column * rowBytes;
    const to = panels + <usize>(column >> 3) * <usize>rows * 32 + (<usize>(column & 4) << 2);
    let row = 0;
    if (column + 4 <= columns) {
      for (; row + 4 <= rows; row += 4) {
        transpose4x4(from + (<usize>row << 2), rowBytes, to + (<usize>row << 5), 32);
      }
    }
    for (; row < rows; row++) {
      for (let i = 0; i < 4; i++) {
        const value = column + i < columns ? load<f32>(from + <usize>i * rowBytes + (<usize>row << 2)) : 0;
        store<f32>(to + (<usize>row << 5) + (<usize>i << 2), value);
      }
    }
  }
}

/** Transposes a block of 4 rows, `fromBytes` apart, into rows `toBytes` apart. */
export function transpose4x4(from: usize, fromBytes: usize, to: usize, toBytes: usize): void {
  const r0 = v128.load(from);
  const r1 = v128.load(from + fromBytes);
  const r2 = v128.load(from + fromBytes * 2);
  const r3 = v128.load(from + fromBytes * 3);
  const low01 = v128.shuffle<f32>(r0, r1, 0, 4, 1, 5);
  const high01 = v128.shuffle<f32>(r0, r1, 2, 6, 3, 7);
  const low23 = v128.shuffle<f32>(r2, r3, 0, 4, 1, 5);
  const high23 = v128.shuffle<f32>(r2, r3, 2, 6, 3, 7);
  v128.store(to, v128.shuffle<f32>(low01, low23, 0, 1, 4, 5));
  v128.store(to + toBytes, v128.shuffle<f32>(low01, low23, 2, 3, 6, 7));
  v128.store(to + toBytes * 2, v128.shuffle<f32>(high01, high23, 0, 1, 4, 5));
  v128.store(to + toBytes * 3, v128.shuffle<f32>(high01, high23, 2, 3, 6, 7));
}

/**
 * Moves the `rows` by `columns` corner of an edge tile `[4,8]` to its matrix, adding to it where `add`.
 */
export function writeEdge(edge: usize, out: usize, outRowBytes: usize, rows: i32, columns: i32, add: bool): void {
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      const at = out + <usize>row * outRowBytes + (<usize>column << 2);
      const value = load<f32>(edge + (<usize>(row * TILE_COLUMNS + column) << 2));
      store<f32>(at, add ? load<f32>(at) + value : value);
    }
  }
}
