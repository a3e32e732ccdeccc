// What pages tell to type exists: scripts of package.json and their options, files, packages.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { parseOptions } from '../../examples/cifar10/options.mjs';
import { createProgram } from '../../src/cli/program';
import { blocksOf, pages, readPage, root } from './blocks';

const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
const packages = Object.keys({
  ...manifest.dependencies,
  ...manifest.optionalDependencies,
  ...manifest.peerDependencies,
  ...manifest.devDependencies,
  [manifest.name]: '',
});

/** What runs elsewhere and is no part of the repository. */
const TOOLS = ['curl', 'cd', 'find', 'git'];

const commands = [...pages, 'CONTRIBUTING.md', 'docs/accuracy.md', 'docs/cli.md', 'docs/tutorialRecipe.md'].flatMap(
  (page) =>
    blocksOf(readPage(page))
      .filter(({ language }) => language === 'sh')
      .flatMap(({ code, line }) =>
        commandsOf(code).map((command) => [`${page}:${line}: ${command}`, command] as const),
      ),
);

/** One by one, without comments. */
function commandsOf(code: string): string[] {
  return code
    .replaceAll(/\\\n\s*/g, '')
    .split('\n')
    .flatMap((line) => line.replace(/(^|\s)#.*/, '').split(/&&|\|/))
    .map((command) => command.trim())
    .filter((command) => command !== '');
}

/** What is wrong with a command; undefined where it can be run. */
function problemOf(command: string): string | undefined {
  const [tool = '', ...words] = command.match(/'[^']*'|"[^"]*"|\S+/g) ?? [];
  if (tool === 'npm') return problemOfNpm(words);
  if (tool === 'npx') return problemOfCommandLine(words);
  if (tool === 'node' || tool === 'bash') return existsSync(join(root, words[0] ?? '')) ? undefined : `no ${words[0]}`;
  return TOOLS.includes(tool) ? undefined : `an unknown tool, ${tool}`;
}

function problemOfNpm([verb = '', ...words]: string[]): string | undefined {
  if (verb === 'install') {
    const missing = words.filter((word) => !word.startsWith('-') && !packages.includes(word));
    return missing.length > 0 ? `unknown packages, ${missing}` : undefined;
  }
  const script = verb === 'run' ? words.shift()! : verb;
  if (manifest.scripts[script] === undefined) return `no script ${script}`;
  const options = words.slice(words.indexOf('--') + 1);
  return words.includes('--') ? problemOfOptions(script, options) : undefined;
}

/** The package's own. */
function problemOfCommandLine([program, name = '', ...words]: string[]): string | undefined {
  if (program !== manifest.name) return `an unknown program, ${program}`;
  if (['--help', '--version'].includes(name)) return undefined;
  const { commands: known } = createProgram(process, () => {});
  const command = known.find((each) => each.name() === name);
  if (command === undefined) return `no command ${name}`;
  const options = ['--help', ...command.options.map(({ long }) => long)];
  const unknown = words.filter((word) => word.startsWith('--') && !options.includes(word));
  return unknown.length > 0 ? `unknown options, ${unknown}` : undefined;
}

function problemOfOptions(script: string, words: string[]): string | undefined {
  if (words.every((word) => word === '--help')) return undefined;
  if (script === 'start') {
    parseOptions(words);
    return undefined;
  }
  const file = /node (\S+\.mjs)/.exec(manifest.scripts[script])?.[1];
  if (file === undefined) return `options for ${script}, which is no program of ours`;
  // Where a program says which options it has may be a file beside it.
  const folder = join(root, dirname(file));
  const sources = readdirSync(folder).filter((name) => name.endsWith('.mjs'));
  const text = sources.map((name) => readFileSync(join(folder, name), 'utf8')).join('\n');
  const unknown = words.filter((word) => word.startsWith('--') && !text.includes(`'${word}`));
  return unknown.length > 0 ? `unknown options, ${unknown}` : undefined;
}

test.each(commands)('%s', (_, command) => {
  expect(problemOf(command)).toBeUndefined();
});

describe('what is wrong is found', () => {
  test.each([
    ['npm run nothing', 'no script'],
    ['npm install left-pad', 'unknown packages'],
    ['npm run bench:training -- --nothing', 'unknown options'],
    ['npx mobilenet-v1-ts nothing', 'no command nothing'],
    ['npx mobilenet-v1-ts convert a b --nothing', 'unknown options, --nothing'],
    ['node examples/nothing.mjs', 'no examples/nothing.mjs'],
    ['rm -rf folder', 'an unknown tool'],
  ])('%s', (command, problem) => expect(problemOf(command)).toContain(problem));

  test('comments and continued lines', () => {
    expect(commandsOf('npm install && npm start   # a && b\nnpm run \\\n  build\n# all\n')).toEqual([
      'npm install',
      'npm start',
      'npm run build',
    ]);
  });
});
