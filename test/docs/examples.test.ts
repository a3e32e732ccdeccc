// Every example in a doc comment of what is exported, and in the readme, compiles against the library as it is.
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';
import { afterAll, beforeAll, expect, test } from 'vitest';

const root = fileURLToPath(new URL('../..', import.meta.url));
// Inside the project, so that packages and path aliases are found as in it.
const folder = join(root, 'test/docs/.examples');

/** What examples may take as given, beside everything that the library exports. */
const GIVEN = `
declare const model: import('@tensorflow/tfjs-layers').LayersModel;
declare const train: mobilenet.ImageDataset;
declare const test: mobilenet.ImageDataset;
`;

interface Example {
  name: string;
  code: string;
}

function examplesIn(path: string): Example[] {
  const text = readFileSync(join(root, path), 'utf8');
  return [...text.matchAll(/^( \* )?```ts\n(.*?)^( \* )?```/gms)].map((match, i) => ({
    name: `${path.replaceAll(/[/.]/g, '_')}_${i}`,
    code: match[2]!.replaceAll(/^ \* ?/gm, ''),
  }));
}

/** The example as a module: what it does not import or declare itself is imported for it. */
function toModule({ code }: Example): string {
  const names = Object.keys(exported).filter((name) => new RegExp(`\\b${name}\\b`).test(code));
  const imported = code.includes("from 'mobilenet-v1-ts'") ? [] : names;
  // In the examples tf is the union package, core and layers under one name.
  const union = [
    "import * as core from '@tensorflow/tfjs-core';",
    "import * as layers from '@tensorflow/tfjs-layers';",
    'const tf = { ...core, ...layers };',
  ];
  const header = [
    "import type * as mobilenet from 'mobilenet-v1-ts';",
    ...(imported.length > 0 ? [`import { ${imported.join(', ')} } from 'mobilenet-v1-ts';`] : []),
    ...(code.includes('import * as tf') ? [] : union),
  ];
  const given = GIVEN.split('\n').filter((line) => {
    const name = /declare const (\w+)/.exec(line)?.[1];
    return name && !new RegExp(`(const|let) [^=]*\\b${name}\\b[^=]*=`).test(code);
  });
  return [...header, ...given, code, 'export {};'].join('\n');
}

let exported: Record<string, unknown>;
let files: string[];

beforeAll(async () => {
  exported = await import('../../src/index');
  mkdirSync(folder, { recursive: true });
  const sources = readdirSync(join(root, 'src'), { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.ts') && !path.endsWith('.generated.ts'))
    .map((path) => `src/${path}`);
  const examples = [...sources, 'README.md'].flatMap(examplesIn);
  files = examples.map((example) => {
    const file = join(folder, `${example.name}.ts`);
    writeFileSync(file, toModule(example));
    return file;
  });
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

test('every example compiles', () => {
  expect(files.length).toBeGreaterThan(15);
  const config = ts.readConfigFile(join(root, 'tsconfig.json'), ts.sys.readFile).config;
  const { options } = ts.parseJsonConfigFileContent(config, ts.sys, root);
  const program = ts.createProgram(files, { ...options, noEmit: true });
  const problems = ts
    .getPreEmitDiagnostics(program)
    .filter(({ file }) => file?.fileName.includes('/.examples/'))
    .map(
      ({ file, messageText }) =>
        `${file!.fileName.split('/').at(-1)}: ${ts.flattenDiagnosticMessageText(messageText, ' ')}`,
    );
  expect(problems).toEqual([]);
}, 60_000);
