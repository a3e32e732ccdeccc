// Compiles assembly/ and inlines the modules as base64 in src/kernels/wasmBytes.generated.ts, so that users have no path
// to configure. Does nothing while the output is newer than everything it is made from.
import { randomUUID } from 'node:crypto';
import { readdirSync, renameSync, statSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import asc from 'assemblyscript/asc';

const root = fileURLToPath(new URL('..', import.meta.url));
const output = 'src/kernels/wasmBytes.generated.ts';

// A runtime that does not know relaxed SIMD refuses the whole module, so there are two. Both import an unshared memory;
// src/kernels/wasmModule.ts makes those that import a shared one of them.
const flavours = [
  { name: 'simdBase64', doc: 'SIMD.', flags: [] },
  { name: 'relaxedSimdBase64', doc: 'Relaxed SIMD.', flags: ['--enable', 'relaxed-simd'] },
];

const commonFlags =
  '--runtime stub --noAssert -O3 --enable simd --importMemory --noExportMemory --use abort= --outFile out.wasm'.split(
    ' ',
  );

if (!isUpToDate()) await build();

function isUpToDate() {
  const sources = [
    fileURLToPath(import.meta.url),
    fileURLToPath(import.meta.resolve('assemblyscript/asc')),
    ...readdirSync(`${root}/assembly`, { recursive: true }).map((name) => `${root}/assembly/${name}`),
  ];
  const built = statSync(`${root}/${output}`, { throwIfNoEntry: false });
  return built !== undefined && sources.every((source) => statSync(source).mtimeMs < built.mtimeMs);
}

async function build() {
  let text = '// Written by scripts/buildWasm.mjs.\n';
  for (const { name, doc, flags } of flavours) {
    const bytes = await compile(flags);
    text += `\n/** ${doc} ${bytes.length} bytes. */\nexport const ${name} =\n  '${Buffer.from(bytes).toString('base64')}';\n`;
  }
  // Renamed into place, so that no reader ever sees half a file.
  const temporary = `${root}/${output}.${randomUUID()}`;
  writeFileSync(temporary, text);
  renameSync(temporary, `${root}/${output}`);
}

/** @param {string[]} flags */
async function compile(flags) {
  /** @type {Uint8Array | undefined} */
  let wasm;
  const { error, stderr } = await asc.main(['assembly/index.ts', '--baseDir', root, ...commonFlags, ...flags], {
    writeFile(_name, contents) {
      wasm = /** @type {Uint8Array} */ (contents);
    },
  });
  if (error || wasm === undefined) throw new Error(`assembly/ does not compile.\n${stderr}`, { cause: error });
  return wasm;
}
