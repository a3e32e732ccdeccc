import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import ts from 'typescript';
import { type Program, root } from './blocks';

const SHORT = '../../shortTrainings.mjs';

/** Writes a program as a module that Node runs, on the built package, and gives its path. */
export function writeModule(folder: string, { id, code, afterwards, checks }: Program): string {
  mkdirSync(folder, { recursive: true });
  const source = `${code}\n${afterwards}`;
  const library = checks.has('short') ? SHORT : 'mobilenet-v1-ts';
  const { outputText } = ts.transpileModule(source.replaceAll("from 'mobilenet-v1-ts'", `from '${library}'`), {
    compilerOptions: { target: ts.ScriptTarget.ES2022, module: ts.ModuleKind.ESNext },
  });
  const file = join(folder, `${id}.mjs`);
  writeFileSync(file, `${outputText}\n`);
  return file;
}

/** Inside of the project, so that packages are found as in it; ignored by git. */
export function scratchFolder(name: string): string {
  return join(root, 'test/docs/.examples', name);
}
