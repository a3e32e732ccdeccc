// The programs of the readme and of the guides run, as a reader would paste them, on the built package.
import { fork } from 'node:child_process';
import { existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { missingAnswer } from './answers';
import { blocksOf, compileOnly, type Program, pages, programsOf, root } from './blocks';
import { scratchFolder, writeModule } from './programs';

const programs = pages.flatMap((page) => programsOf(page));
const inNode = programs.filter((program) => !compileOnly(program) && !program.checks.has('browser'));
const folder = scratchFolder('programs');

interface Result {
  file: string;
  output: string;
  error: string | undefined;
  milliseconds: number;
}

const results = new Map<string, Result>();

beforeAll(async () => {
  if (!existsSync(join(root, 'dist/index.js'))) throw new Error('dist is missing: run npm run build first.');
  const files = new Map(inNode.map((program) => [writeModule(folder, program), program.name]));
  // One process for all: tfjs is loaded once.
  const script = fileURLToPath(new URL('runPrograms.mjs', import.meta.url));
  const child = fork(script, [...files.keys()], { stdio: ['ignore', 'ignore', 'pipe', 'ipc'] });
  let complaints = '';
  child.stderr!.setEncoding('utf8').on('data', (text) => {
    complaints += text;
  });
  child.on('message', (result: Result) => results.set(files.get(result.file)!, result));
  const code = await new Promise((resolve) => child.on('close', resolve));
  if (code !== 0) throw new Error(`The programs ended with exit code ${code}: ${complaints}`);
}, 300_000);

afterAll(() => rmSync(folder, { recursive: true, force: true }));

test.each(inNode.map((program) => [program.name, program] as const))('%s runs', (name, program) => {
  const { error, output } = results.get(name)!;
  expect(error).toBeUndefined();
  expect(missingAnswer(program, output, program.checks.has('roughly')), output).toBeUndefined();
});

test('programs that are not run say why', () => {
  const reasons = programs.map(compileOnly).filter((reason) => reason !== undefined);
  expect(reasons.filter((reason) => !/^compile only: .{8,}/.test(reason))).toEqual([]);
});

describe('how answers are compared', () => {
  const program = (code: string): Pick<Program, 'code' | 'prints'> => ({ code, prints: [] });

  test('in order, as whole lines', () => {
    const code = 'console.log(1); // one 1\nconsole.log(2); // two 2\n';
    expect(missingAnswer(program(code), 'one 1\ntwo 2\n', false)).toBeUndefined();
    expect(missingAnswer(program(code), 'two 2\none 1\n', false)).toBe('two 2');
    expect(missingAnswer(program(code), 'one 10\ntwo 2\n', false)).toBe('one 1');
  });

  test('what an ellipsis stands for may differ, and numbers where that is said', () => {
    const code = 'console.log(1); // 84.1 % of … pictures\n';
    expect(missingAnswer(program(code), '9 % of all pictures', true)).toBeUndefined();
    expect(missingAnswer(program(code), '9 % of all pictures', false)).toBe('84.1 % of … pictures');
  });
});

test('blocks and what is said of them are found', () => {
  const page = [
    'Text.\n\n<!-- check: short, compile only: it may -->\n```ts [name]\nfirst;\n```\n',
    '<!-- check: continues\nafter();\n-->\n\n```ts\nsecond;\n```\n',
    '<!-- check: prints -->\n```text\nanswer\n\n```\n',
    '````md\n```ts\ninner;\n```\n````\n',
    '```html\n<p>\n```\n<!-- check: browser, continues -->\n```js\nthird;\n```\n',
  ].join('\n');
  const found = programsOf('page', blocksOf(page));
  expect(found.map(({ code, html, prints }) => ({ code, html, prints }))).toEqual([
    { code: 'first;\nsecond;\n', html: undefined, prints: ['answer'] },
    { code: 'third;\n', html: '<p>\n', prints: [] },
  ]);
  expect(found[0]).toMatchObject({ name: 'page:5', afterwards: 'after();\n' });
  expect([...found[0]!.checks]).toEqual(['short', 'compile only: it may', 'continues']);
});
