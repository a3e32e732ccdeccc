import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { type Plugin, transformWithEsbuild } from 'vite';

/** Writes a service worker that knows all files of the build, and a version made of their content. */
export function serviceWorkerPlugin(source: string): Plugin {
  let folder = '';
  return {
    name: 'service-worker',
    apply: 'build',
    configResolved({ root, build }) {
      folder = resolve(root, build.outDir);
    },
    async closeBundle() {
      const names = readdirSync(folder, { recursive: true, withFileTypes: true })
        .filter((entry) => entry.isFile())
        .map((entry) =>
          join(entry.parentPath, entry.name)
            .slice(folder.length + 1)
            .replaceAll('\\', '/'),
        )
        .sort();
      const digest = createHash('sha256');
      for (const name of names) digest.update(name).update(readFileSync(join(folder, name)));
      // Servers give the page under the name of its folder.
      const files = ['./', ...names.filter((name) => name !== 'index.html')];
      const { code } = await transformWithEsbuild(readFileSync(source, 'utf8'), source, {
        minify: true,
        sourcemap: false,
      });
      const head = `const VERSION = '${digest.digest('hex').slice(0, 16)}';\nconst FILES = ${JSON.stringify(files)};\n`;
      writeFileSync(join(folder, 'serviceWorker.js'), head + code);
    },
  };
}
