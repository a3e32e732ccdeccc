// The machine's f32 SIMD peak in WebAssembly, of one thread; every share that the benches print is relative to it.
import { fileURLToPath } from 'node:url';
import asc from 'assemblyscript/asc';

/**
 * GFLOP/s of the better loop: separate products and sums, and fused multiply-adds where this runtime has relaxed SIMD.
 *
 * It counts for both modules: a module that cannot fuse still runs on the machine that could.
 */
export async function measurePeak() {
  const modules = [
    await compile(['--enable', 'simd']),
    await compile(['--enable', 'simd', '--enable', 'relaxed-simd']),
  ];
  const rates = modules.filter((wasm) => WebAssembly.validate(wasm)).map(bestRate);
  return Math.max(...rates);
}

/** @param {Uint8Array<ArrayBuffer>} wasm */
function bestRate(wasm) {
  const ROUNDS = 1_000_000;
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(wasm));
  const { run, flopsPerRound } = /** @type {{ run: Function, flopsPerRound: WebAssembly.Global<'i32'> }} */ (
    /** @type {unknown} */ (exports)
  );
  let best = 0;
  // Long enough to reach V8's optimizing compiler and a moment in which nothing else runs.
  for (let i = 0; i < 200; i++) {
    const start = performance.now();
    run(ROUNDS, 1, 1);
    best = Math.max(best, (ROUNDS * flopsPerRound.value) / (performance.now() - start) / 1e6);
  }
  return best;
}

/** @param {string[]} features */
async function compile(features) {
  /** @type {Uint8Array<ArrayBuffer> | undefined} */
  let wasm;
  const flags = '--runtime stub --noAssert -O3 --outFile out.wasm'.split(' ');
  const baseDir = fileURLToPath(new URL('../assembly/bench/', import.meta.url));
  const { error, stderr } = await asc.main(['peak.ts', '--baseDir', baseDir, ...flags, ...features], {
    writeFile(_name, contents) {
      wasm = /** @type {Uint8Array<ArrayBuffer>} */ (contents);
    },
  });
  if (error || wasm === undefined)
    throw new Error(`assembly/bench/peak.ts does not compile.\n${stderr}`, { cause: error });
  return wasm;
}
