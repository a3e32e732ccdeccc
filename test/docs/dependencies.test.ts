// docs/dependencies.md lists what package.json has, with the licences of what is installed.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { readPage, root } from './blocks';

interface Manifest {
  license?: string;
  dependencies: Record<string, string>;
  optionalDependencies: Record<string, string>;
  peerDependencies: Record<string, string>;
  peerDependenciesMeta: Record<string, { optional?: boolean }>;
}

const manifestOf = (folder: string): Manifest => JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
const manifest = manifestOf(root);
const page = readPage('docs/dependencies.md');

/** The rows of the table below a heading. */
function tableBelow(heading: string): { name: string; isOptional: boolean; licence: string; cells: string[] }[] {
  const [, section = ''] = page.split(`\n## ${heading}\n`);
  const [own = ''] = section.split('\n## ');
  return [...own.matchAll(/^\| `([^`]+)`( \(optional\))? \|(.*)\|$/gm)].map(([, name, optional, rest]) => {
    const cells = rest!.split('|').map((cell) => cell.trim());
    return { name: name!, isOptional: optional !== undefined, licence: cells[2]!, cells };
  });
}

test.each([
  ['Runtime', manifest.dependencies],
  ['Optional', manifest.optionalDependencies],
  ['Peers', manifest.peerDependencies],
])('%s', (heading, dependencies) => {
  const rows = tableBelow(heading);
  expect(rows.map(({ name }) => name).sort()).toEqual(Object.keys(dependencies).sort());
  for (const { name, licence, cells, isOptional } of rows) {
    expect(
      cells.filter((cell) => cell === ''),
      name,
    ).toEqual([]);
    expect(cells, name).toHaveLength(4);
    expect(isOptional, name).toBe(manifest.peerDependenciesMeta[name]?.optional === true);
    const { license = '' } = manifestOf(join(root, 'node_modules', name));
    // h5wasm has a text of its own.
    if (!license.startsWith('SEE LICENSE')) expect(licence, name).toBe(license);
  }
});
