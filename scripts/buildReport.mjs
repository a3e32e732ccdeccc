// Bundles the script and the style of report.html (src/report/page) with the chart library, and inlines both as strings
// in src/report/reportPage.generated.ts. Bundling takes milliseconds, so it is always done.
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { writeGenerated } from './writeGenerated.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
const output = join(root, 'src/report/reportPage.generated.ts');
const library = findLibrary();

const script = await bundle('page.ts', { format: 'iife' });
const style = await bundle('page.css', {});
if (/<\/(script|style)/i.test(script + style)) throw new Error('The page would end within its own script or style.');

const text = `// Written by scripts/buildReport.mjs.

/** The script of a report's page, with uPlot and its licence. ${script.length} characters. */
export const pageScript = ${JSON.stringify(script)};

/** Its style. ${style.length} characters. */
export const pageStyle = ${JSON.stringify(style)};

/** Lets these two run, and nothing else: no other script or style, no network. */
export const contentSecurityPolicy = ${JSON.stringify(
  `default-src 'none'; img-src data:; script-src ${hashOf(script)}; style-src ${hashOf(style)}`,
)};
`;
writeGenerated(output, text);

/**
 * @param {string} entry
 * @param {import('esbuild').BuildOptions} options
 */
async function bundle(entry, options) {
  const { outputFiles } = await build({
    ...options,
    absWorkingDir: root,
    entryPoints: [`src/report/page/${entry}`],
    bundle: true,
    write: false,
    minify: true,
    target: ['es2022', 'chrome111', 'firefox113', 'safari16.2'],
    charset: 'utf8',
    legalComments: 'none',
    banner: { js: library.licence, css: library.licence },
  });
  return outputFiles
    .map(({ text }) => text)
    .join('')
    .trim();
}

function findLibrary() {
  try {
    const manifest = createRequire(import.meta.url).resolve('uplot/package.json');
    const { version } = JSON.parse(readFileSync(manifest, 'utf8'));
    const licence = readFileSync(join(dirname(manifest), 'LICENSE'), 'utf8').trim();
    return { licence: `/*! uPlot ${version}, https://github.com/leeoniya/uPlot\n\n${licence}\n*/` };
  } catch (error) {
    throw new Error('The chart library uplot is not installed: run npm install.', { cause: error });
  }
}

/** @param {string} content */
function hashOf(content) {
  return `'sha256-${createHash('sha256').update(content).digest('base64')}'`;
}
