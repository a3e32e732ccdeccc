// Every example in a doc comment of what is exported, and every program of the readme and the guides, compiles against the
// library as it is. (programs.test.ts runs the latter.)
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import ts from 'typescript';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Program, pages, programsOf, root } from './blocks';
import { scratchFolder } from './programs';

const folder = scratchFolder('compiled');

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

/** What the package's entries name. */
const entries = ['src/index.ts', 'src/cifar10.ts'].map((path) => readFileSync(join(root, path), 'utf8')).join('\n');

/** The examples of what is exported; what is below a comment says whose it is. */
function examplesIn(path: string): Example[] {
  const text = readFileSync(join(root, path), 'utf8');
  const examples = /^ \* ```ts\n(.*?)^ \* ```.*?^ \*\/\nexport (?:async )?\w+ (\w+)/gms;
  return [...text.matchAll(examples)]
    .filter(([, , owner]) => new RegExp(`\\b${owner}\\b`).test(entries))
    .map((match, i) => ({
      name: `${path.replaceAll(/[/.]/g, '_')}_${i}`,
      code: match[1]!.replaceAll(/^ \* ?/gm, ''),
    }));
}

/** The example as a module: what it does not import or declare itself is imported for it. */
function toModule({ code }: Example): string {
  const names = Object.keys(exported).filter((name) => new RegExp(`\\b${name}\\b`).test(code));
  const imported = code.includes("from 'mobilenet-v1-ts'") ? [] : names;
  // In the examples tf is the union package, core and layers under one name.
  const union = [
    "import * as tfjsCore from '@tensorflow/tfjs-core';",
    "import * as tfjsLayers from '@tensorflow/tfjs-layers';",
    'const tf = { ...tfjsCore, ...tfjsLayers };',
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

/** A program as it stands: what it needs it must import itself. */
function programSource({ code, afterwards }: Program): string {
  return [code, afterwards, 'export {};'].join('\n');
}

let exported: Record<string, unknown>;
let files: string[];

beforeAll(async () => {
  exported = await import('../../src/index');
  mkdirSync(folder, { recursive: true });
  const sources = readdirSync(join(root, 'src'), { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.ts') && !path.endsWith('.generated.ts'))
    .map((path) => `src/${path}`);
  const examples = sources.flatMap(examplesIn).map((example) => ({ id: example.name, source: toModule(example) }));
  const programs = pages.flatMap((page) => programsOf(page));
  const modules = [...examples, ...programs.map((program) => ({ id: program.id, source: programSource(program) }))];
  files = modules.map(({ id, source }) => {
    const file = join(folder, `${id}.ts`);
    writeFileSync(file, source);
    return file;
  });
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

test('every example and every program compiles', () => {
  expect(files.length).toBeGreaterThan(70);
  const config = ts.readConfigFile(join(root, 'tsconfig.json'), ts.sys.readFile).config;
  const { options } = ts.parseJsonConfigFileContent(config, ts.sys, root);
  options.paths = { ...options.paths, 'mobilenet-v1-ts/cifar10': ['./src/cifar10.ts'] };
  const program = ts.createProgram(files, { ...options, noEmit: true });
  // Of these files only: the library's own are checked with the rest of it.
  const problems = files
    .map((file) => program.getSourceFile(file)!)
    .flatMap((file) => [...program.getSyntacticDiagnostics(file), ...program.getSemanticDiagnostics(file)])
    .map(
      ({ file, messageText }) =>
        `${file!.fileName.split('/').at(-1)}: ${ts.flattenDiagnosticMessageText(messageText, ' ')}`,
    );
  expect(problems).toEqual([]);
}, 180_000);
