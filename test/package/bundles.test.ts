import { execFile } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { gzipSync } from 'node:zlib';
import { type BuildOptions, build, type Plugin } from 'esbuild';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type PackedPackage, packPackage } from './packedPackage';

let packed: PackedPackage;

beforeAll(async () => {
  packed = await packPackage();
});
afterAll(() => packed?.remove());

/** What `import()` names is loaded on use: it stays a file of its own, and outside of the bundle. */
const loadedOnUse: Plugin = {
  name: 'loaded-on-use',
  setup({ onResolve }) {
    onResolve({ filter: /.*/ }, ({ kind }) => (kind === 'dynamic-import' ? { external: true } : undefined));
  },
};

/** A page's script with these imports, minified, tfjs aside. */
function bundle(contents: string, options: BuildOptions = {}) {
  return build({
    stdin: { contents, resolveDir: packed.app },
    absWorkingDir: packed.app,
    bundle: true,
    minify: true,
    format: 'esm',
    platform: 'browser',
    external: ['@tensorflow/*'],
    logLevel: 'silent',
    ...options,
    write: false,
    metafile: true,
  });
}

/** What runs on import: the text, the package's files that are part of it, and the other modules that it wants. */
async function entryOf(contents: string, options: BuildOptions = {}) {
  const { outputFiles, metafile } = await bundle(contents, { plugins: [loadedOnUse], ...options });
  const [output] = Object.values(metafile.outputs);
  const taken = Object.entries(output!.inputs).filter(([, { bytesInOutput }]) => bytesInOutput > 0);
  const named = (kind: string) => output!.imports.filter((each) => each.kind === kind).map(({ path }) => path);
  return {
    text: outputFiles[0]!.text,
    gzipped: gzipSync(outputFiles[0]!.contents).length,
    files: taken.map(([path]) => path).filter((path) => path !== '<stdin>'),
    imports: [...new Set([...named('import-statement'), ...named('require-call')])].sort(),
    onUse: named('dynamic-import'),
  };
}

/** The sources that a file of the build was made of; esbuild writes their names where each begins. */
function sourcesIn(files: readonly string[]): string[] {
  const texts = files.map((path) => readFileSync(join(packed.app, path), 'utf8'));
  return texts.flatMap((text) => [...text.matchAll(/^\s*\/\/ (src\/\S+)$/gm)].map(([, source]) => source!));
}

const builder = "export { mobilenetV1 } from 'mobilenet-v1-ts'";
const classifier = "export { createClassifier } from 'mobilenet-v1-ts'";
const everything = "export * from 'mobilenet-v1-ts'";
const trainedModels = "export * from 'mobilenet-v1-ts/cifar10'";

/** How the base64 of a WebAssembly module begins. */
const wasm = /AGFzbQ/g;
const modelFiles = /alpha-(1|0\.25)/;

describe('minified and gzipped, tfjs aside', () => {
  // Measured, and some 5 % more: whoever makes one grow finds out.
  test.each([
    ['the builder alone is at most 5.7 kB', builder, 5_700],
    ['the classifier alone is at most 90 kB', classifier, 90_000],
    ['the trained models are at most 90 kB', trainedModels, 90_000],
    ['everything is at most 140 kB', everything, 140_000],
  ])('%s', async (_, contents, limit) => {
    const { gzipped } = await entryOf(contents);
    expect(gzipped).toBeLessThan(limit);
    expect(gzipped, 'the limit has become loose').toBeGreaterThan(0.85 * limit);
  });
});

describe('an import brings what it names, and nothing else', () => {
  test.each(['mobilenet-v1-ts', 'mobilenet-v1-ts/cifar10'])('without names: %s', async (name) => {
    const { text, files } = await entryOf(`import '${name}'`);
    expect(text.trim()).toBe('');
    expect(files).toEqual([]);
  });

  test('the builder has no kernels, no loader, no classifier and no training', async () => {
    const { text } = await entryOf(builder);
    expect(text).toContain('conv_preds');
    expect(text).not.toMatch(wasm);
    expect(text).not.toMatch(/cifar-10|createClassifier|trainClassifier|schedules\.|weightsManifest/);
  });

  test('the classifier has neither builder nor training', async () => {
    const { text } = await entryOf(classifier);
    expect(text).toMatch(/createClassifier/);
    expect(text).not.toMatch(/conv_preds|trainClassifier|cifar-10|report/);
  });

  test('training has neither builder nor classifier', async () => {
    const { text } = await entryOf("export { trainClassifier } from 'mobilenet-v1-ts'");
    expect(text).toMatch(/trainClassifier/);
    expect(text).not.toMatch(/conv_preds|createClassifier/);
  });

  test('the trained models bring their addresses but no training', async () => {
    const { text } = await entryOf(trainedModels);
    expect(text).toMatch(modelFiles);
    expect(text).not.toMatch(/node:|env-paths|trainClassifier|report/);
  });

  test('everything sees nothing of Node nor of the trained models', async () => {
    const { text, imports } = await entryOf(everything);
    expect(text).not.toMatch(/node:|env-paths/);
    expect(text).not.toMatch(modelFiles);
    expect(imports).toEqual(['@tensorflow/tfjs-core', '@tensorflow/tfjs-layers']);
  });

  test('each build of the kernels is inlined once, however many entries and chunks there are', async () => {
    const contents = `${everything}; ${trainedModels}`;
    const { outputFiles } = await bundle(contents, { splitting: true, outdir: 'out' });
    const texts = outputFiles.map(({ text }) => text);
    expect(texts.length).toBeGreaterThan(10);
    // With relaxed SIMD, and without.
    expect(texts.flatMap((text) => text.match(wasm) ?? [])).toHaveLength(2);
  });
});

describe('loaded on use', () => {
  test('the report and its page', async () => {
    const { text, onUse } = await entryOf(everything);
    expect(text).not.toMatch(/uPlot \d/);
    for (const name of [/reportObserver-\w+/, /reportHtml-\w+/]) {
      expect(onUse).toContainEqual(expect.stringMatching(name));
    }
  });

  /** Folders of src/formats, and what reads or writes them. */
  const parsers = /^src\/formats\/(onnx|keras|safetensors|tfjs|tflite)\//;

  const node: BuildOptions = { platform: 'node' };
  test.each<[name: string, contents: string, options: BuildOptions]>([
    ['the main entry, imported', everything, {}],
    ['the main entry, imported in Node', everything, node],
    ['the main entry, required', "module.exports = require('mobilenet-v1-ts')", { ...node, format: 'cjs' }],
    ['the builder', builder, {}],
    ['the classifier', classifier, {}],
    ['loadWeights', "export { loadWeights } from 'mobilenet-v1-ts'", {}],
    ['exportOnnx', "export { exportOnnx } from 'mobilenet-v1-ts'", {}],
  ])('the parsers of all formats: not in %s', async (_, contents, options) => {
    const { files, imports } = await entryOf(contents, options);
    const sources = sourcesIn(files);
    expect(sources.length).toBeGreaterThan(3);
    expect(sources.filter((source) => parsers.test(source))).toEqual([]);
    expect(imports.filter((name) => !/^(@tensorflow\/tfjs-(core|layers)|node:\w[\w/]*)$/.test(name))).toEqual([]);
  });

  test('the parsers are there when they are asked for', async () => {
    const { metafile } = await bundle(everything, { splitting: true, outdir: 'out' });
    const files = Object.keys(metafile.inputs);
    const folders = sourcesIn(files.filter((path) => path.includes('/mobilenet-v1-ts/')))
      .map((source) => parsers.exec(source)?.[1])
      .filter((folder) => folder !== undefined);
    expect([...new Set(folders)].sort()).toEqual(['keras', 'onnx', 'safetensors', 'tfjs', 'tflite']);
    for (const name of ['fflate', 'flatbuffers', 'pbf']) {
      expect(files).toContainEqual(expect.stringContaining(`node_modules/${name}/`));
    }
  });
});

test('a bundle for a server that has lost the trained models says what to do', async () => {
  const contents = `
    import '@tensorflow/tfjs-backend-cpu';
    import { cifar10Classifier } from 'mobilenet-v1-ts/cifar10';
    cifar10Classifier().catch(({ code, message }) => console.log(JSON.stringify({ code, message })));
  `;
  const { outputFiles } = await bundle(contents, { platform: 'node', plugins: [loadedOnUse] });
  const script = join(packed.app, 'server.mjs');
  writeFileSync(script, outputFiles[0]!.contents);
  const { stdout } = await promisify(execFile)(process.execPath, [script]);
  const { code, message } = JSON.parse(stdout.trim().split('\n').at(-1)!);
  expect(code).toBe('file-system');
  expect(message).toMatch(
    /expected the package's files at .*ENOENT.* pass its address as url; on a server .*serverExternalPackages/,
  );
});
