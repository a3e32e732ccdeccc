import '@tensorflow/tfjs-backend-cpu';
import { execFile } from 'node:child_process';
import { copyFileSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { setBackend } from '@tensorflow/tfjs-core';
import { publint } from 'publint';
import ts from 'typescript';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { publishConfig } from '../../package.json';
import { cifar10Classifier, cifar10Models } from '../../src/cifar10';
import { syntheticCifar10 } from '../../src/data/syntheticCifar10';
import { type PackedPackage, packPackage, root } from './packedPackage';

const run = promisify(execFile);
const consumers = fileURLToPath(new URL('./consumers', import.meta.url));
let packed: PackedPackage;

beforeAll(async () => {
  packed = await packPackage();
  for (const name of readdirSync(consumers)) copyFileSync(join(consumers, name), join(packed.app, name));
  copyFileSync(join(consumers, 'types.mts'), join(packed.app, 'types.cts'));
});

afterAll(() => packed?.remove());

/** Each of these is a file beside a script's own, in both module formats, that is loaded when something asks for it. */
const ON_USE = [
  ...['reportObserver', 'reportHtml', 'loadPretrainedModel', 'pretrainedNetworks', 'imagenetClasses', 'weightSource'],
  ...['loadWeightFile', 'readGraphModel', 'readKeras', 'readLayersModel', 'readOnnx', 'readSafetensorsWeights'],
  ...['readTflite', 'writeKeras', 'writeOnnx', 'writeSafetensorsWeights', 'writeTflite'],
];

test('the tarball holds the build, the licence, the readmes and the changelog, and nothing else', () => {
  const onUse = ON_USE.map((name) => name.replaceAll('.', '\\.')).join('|');
  const allowed = [
    /^(package\.json|README(\.zh)?\.md|LICENSE|CHANGELOG\.md)$/,
    new RegExp(`^dist/(index|cifar10|platform/(node|browser)|(chunk|${onUse})-[A-Z\\d]{8})\\.c?js$`),
    /^dist\/(index|cifar10|[a-z]\w+-[\w-]{8})\.d\.c?ts$/i,
    /^dist\/cli(-(chunk|[a-z]+)-[A-Z\d]{8})?\.js$/,
    /^dist\/cifar10\/alpha-[\d.]+\/(model\.json|weights\.bin)$/,
    /^dist\/(worker\/(node\.js|node\.cjs|browser\.js)|wasm\/(relaxed-)?simd(-shared)?\.wasm)$/,
  ];
  expect(packed.files.filter((path) => !allowed.some((pattern) => pattern.test(path)))).toEqual([]);
  const entries = ['index', 'cifar10'].flatMap((name) => ['js', 'cjs', 'd.ts', 'd.cts'].map((end) => `${name}.${end}`));
  const models = ['1', '0.25'].flatMap((alpha) =>
    ['model.json', 'weights.bin'].map((file) => `alpha-${alpha}/${file}`),
  );
  for (const path of [
    ...['README.md', 'LICENSE', 'CHANGELOG.md', 'dist/cli.js'],
    ...entries.map((name) => `dist/${name}`),
    ...models.map((name) => `dist/cifar10/${name}`),
  ]) {
    expect(packed.files).toContain(path);
  }
});

test('every script of the tarball is one that something in it asks for', () => {
  const folder = join(packed.app, 'node_modules/mobilenet-v1-ts');
  const scripts = packed.files.filter((path) => /^dist\/.*\.c?js$/.test(path) && !path.startsWith('dist/worker/'));
  const asked = scripts.flatMap((path) =>
    [...readFileSync(join(folder, path), 'utf8').matchAll(/['"]\.{1,2}\/([\w.-]+\.c?js)['"]/g)].map(([, name]) => name),
  );
  // package.json asks for these.
  const entries = ['index.js', 'index.cjs', 'cifar10.js', 'cifar10.cjs', 'cli.js'];
  const platforms = ['node', 'browser'].flatMap((name) => [`platform/${name}.js`, `platform/${name}.cjs`]);
  const known = new Set([...asked, ...entries, ...platforms].map((name) => `dist/${name}`));
  expect(scripts.filter((path) => !known.has(path))).toEqual([]);
});

test('it is published for everybody, and says where it was built', () => {
  expect(publishConfig).toEqual({ access: 'public', provenance: true });
});

test('publint has nothing to say', async () => {
  const { messages } = await publint({ pkgDir: join(packed.app, 'node_modules/mobilenet-v1-ts'), strict: true });
  expect(messages).toEqual([]);
});

test('attw finds no problem', async () => {
  const attw = join(root, 'node_modules/@arethetypeswrong/cli/dist/index.js');
  // The worker is a script to start, not to import: it has no types.
  // Node 20 resolves subpaths as node16 does. Its exit code says it; more JSON than a pipe holds is cut off where it ends.
  const options = ['--format', 'ascii', '--profile', 'node16', '--exclude-entrypoints', 'worker'];
  const failure = await run(process.execPath, [attw, packed.tarball, ...options]).catch(({ stdout }) => stdout);
  expect(failure).not.toBeTypeOf('string');
});

describe('a consumer builds, trains, saves, loads and is refused bad files', () => {
  for (const file of ['consumer.mjs', 'consumer.cjs']) {
    test(file, async () => {
      const { stdout, stderr } = await run(process.execPath, [join(packed.app, file), packed.app]);
      const result = JSON.parse(stdout.trim().split('\n').at(-1)!);
      expect(result).toMatchObject({ registeredOnImport: false, registeredByTraining: true, backend: 'wasm' });
      expect(result.loss).toBeGreaterThan(0);
      // Folded batch norm rounds otherwise.
      expect(result.testLoss).toBeCloseTo(result.valLoss, 5);
      expect(result.before).toHaveLength(4 * 10);
      expect(result.after).toEqual(result.before);
      expect(result.classNames).toHaveLength(10);
      expect(result.refusals).toEqual(['file-system', 'invalid-data', 'download-failed', 'file-system']);
      expect(stderr).not.toMatch(/already registered|warn/i);
    });
  }
});

describe('a consumer classifies with the trained models', () => {
  test.each(['cifar10.mjs', 'cifar10.cjs'])('%s', async (file) => {
    const { stdout, stderr } = await run(process.execPath, [join(packed.app, file)]);
    const { found, sameErrorClass, code } = JSON.parse(stdout.trim().split('\n').at(-1)!);
    expect({ sameErrorClass, code }).toEqual({ sameErrorClass: true, code: 'invalid-argument' });
    expect(stderr).not.toMatch(/warn/i);

    await setBackend('cpu');
    const { images } = syntheticCifar10({ train: 1, test: 1, seed: 3 }).test;
    for (const { alpha } of cifar10Models) {
      const classifier = await cifar10Classifier({ alpha, url: join(root, 'models/cifar10'), engine: 'tfjs' });
      const expected = await classifier.classify({ data: images, width: 32, height: 32 }, { topK: 10 });
      await classifier.dispose();
      expect(found[alpha]).toEqual(
        expected.map((each) => ({ ...each, probability: expect.closeTo(each.probability, 5) })),
      );
    }
  });
});

describe("the package's worker and wasm files train as what is inlined does", () => {
  for (const file of ['worker.mjs', 'worker.cjs']) {
    test(file, async () => {
      const { stdout } = await run(process.execPath, [join(packed.app, file)]);
      const { inlined, own, workers, flavours } = JSON.parse(stdout.trim().split('\n').at(-1)!);
      expect(inlined).toMatchObject({ engine: 'fused', threads: 2 });
      expect(inlined.loss).toBeGreaterThan(0);
      expect(own).toEqual(inlined);
      expect(workers).toBe(2);
      expect(flavours).toEqual([`${own.module}-shared`]);
    });
  }

  test.each(['browser.js', 'node.js', 'node.cjs'])('%s is one file, which imports nothing but its port', (file) => {
    const text = readFileSync(join(packed.app, 'node_modules/mobilenet-v1-ts/dist/worker', file), 'utf8');
    const modules = [...text.matchAll(/(?:\bfrom|\brequire\(|\bimport\(?)\s*['"]([^'"]+)/g)].map(([, name]) => name);
    expect(modules).toEqual(file === 'browser.js' ? [] : ['node:worker_threads']);
  });
});

describe('types, strict', () => {
  const settings: [name: string, options: object][] = [
    ['node16', { module: 'node16', moduleResolution: 'node16' }],
    ['bundler', { module: 'esnext', moduleResolution: 'bundler' }],
    ['exact', { module: 'esnext', moduleResolution: 'bundler', exactOptionalPropertyTypes: true }],
    // It knows no exports: typesVersions is what it goes by.
    ['node10', { module: 'commonjs', moduleResolution: 'node10' }],
  ];
  /** TypeScript's own declarations, which are the same for all. */
  const libraries = new Map<string, ts.SourceFile | undefined>();

  function hostFor(options: ts.CompilerOptions): ts.CompilerHost {
    const host = ts.createCompilerHost(options);
    const { getSourceFile } = host;
    host.getCurrentDirectory = () => packed.app;
    host.getSourceFile = (path, ...how) => {
      if (!/\/typescript\/lib\/lib\.[^/]*$/.test(path)) return getSourceFile(path, ...how);
      if (!libraries.has(path)) libraries.set(path, getSourceFile(path, ...how));
      return libraries.get(path);
    };
    return host;
  }

  /** What the compiler has to say of the consumer: where, and what. */
  function compile(given: object): { path: string | undefined; message: string }[] {
    const common = { strict: true, noEmit: true, skipLibCheck: false, skipDefaultLibCheck: true, target: 'es2022' };
    const { options, errors } = ts.convertCompilerOptionsFromJson({ ...common, types: [], ...given }, packed.app);
    const files = ['types.mts', 'types.cts'].map((name) => join(packed.app, name));
    const program = ts.createProgram(files, options, hostFor(options));
    return [...errors, ...ts.getPreEmitDiagnostics(program)].map(({ file, messageText }) => {
      return { path: file?.fileName, message: ts.flattenDiagnosticMessageText(messageText, ' ') };
    });
  }

  test.each(settings)('%s: no error in the consumer nor in our declarations', { timeout: 180_000 }, (_, options) => {
    const found = compile(options);
    const isTheirs = ({ path }: { path: string | undefined }) => path?.includes('node_modules/@tensorflow/') ?? false;
    expect(found.filter((each) => !isTheirs(each))).toEqual([]);
    // tfjs-layers has errors in its own, which shows that declarations are looked at.
    expect(found.filter(isTheirs)).not.toEqual([]);
  });
});

test('the readme names the two commands on its first screen', () => {
  const top = readFileSync(join(root, 'README.md'), 'utf8').split('\n').slice(0, 20).join('\n');
  expect(top).toContain('npm install && npm start');
  expect(top).toContain('npm test');
});
