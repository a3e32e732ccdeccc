import { execFileSync } from 'node:child_process';
import { createReadStream, existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { fileURLToPath } from 'node:url';
import { createGunzip } from 'node:zlib';
import { unpackTar } from 'modern-tar/fs';
import { dependencies, optionalDependencies, peerDependencies } from '../../package.json';

export const root = fileURLToPath(new URL('../..', import.meta.url));

/** What an app that installs the package has beside it; links into our own node_modules, so that no network is needed. */
const INSTALLED = [peerDependencies, dependencies, optionalDependencies].flatMap(Object.keys);

export interface PackedPackage {
  tarball: string;
  /** Paths in the tarball. */
  files: string[];
  /** A folder whose node_modules holds the package as npm would lay it. */
  app: string;
  remove(): void;
}

/** Packs what `npm run build` made, and installs it into an empty app. */
export async function packPackage(): Promise<PackedPackage> {
  if (!existsSync(join(root, 'dist/index.js'))) throw new Error('dist is missing: run npm run build first.');
  const place = mkdtempSync(join(tmpdir(), 'mobilenet-v1-ts-'));
  const npm = process.platform === 'win32' ? 'npm.cmd' : 'npm';
  const output = execFileSync(npm, ['pack', '--ignore-scripts', '--json', '--pack-destination', place], {
    cwd: root,
    encoding: 'utf8',
    shell: process.platform === 'win32',
  });
  // npm 12 gives an object by package name, npm before that a list.
  const [packed] = Object.values(JSON.parse(output) as Record<string, { filename: string; files: { path: string }[] }>);
  const tarball = join(place, packed!.filename);

  const app = join(place, 'app');
  const installed = join(app, 'node_modules', 'mobilenet-v1-ts');
  mkdirSync(installed, { recursive: true });
  await pipeline(createReadStream(tarball), createGunzip(), unpackTar(installed, { strip: 1 }));
  for (const name of INSTALLED) {
    const link = join(app, 'node_modules', name);
    mkdirSync(dirname(link), { recursive: true });
    symlinkSync(join(root, 'node_modules', name), link, 'junction');
  }
  const remove = () => rmSync(place, { recursive: true, force: true });
  return { tarball, files: packed!.files.map(({ path }) => path), app, remove };
}
