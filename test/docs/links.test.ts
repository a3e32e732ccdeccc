// Links between the Markdown pages of the repository hold, to their headings too, and those of the site stay on it.
// (VitePress refuses dead links of the site when it builds it; this is also about who reads the repository.)
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { expect, test } from 'vitest';
import { onSite } from '../../docs/.vitepress/markdown';
import { root } from './blocks';

/** Made by TypeDoc and by VitePress when the site is built. */
const GENERATED = /^docs\/(api|\.vitepress)\//;

const inDocs = readdirSync(join(root, 'docs'), { recursive: true, encoding: 'utf8' })
  .map((path) => `docs/${path.replaceAll('\\', '/')}`)
  .filter((path) => path.endsWith('.md') && !GENERATED.test(path));
const files = [...readdirSync(root).filter((name) => name.endsWith('.md')), ...inDocs];

/** Of images too; code aside. */
function linksIn(markdown: string): string[] {
  const prose = markdown.replaceAll(/^(`{3,}).*?^\1$/gms, '').replaceAll(/`[^`\n]*`/g, '');
  return [...prose.matchAll(/\]\(([^)\s]+)\)/g)].map((match) => match[1]!);
}

/** Whether a link of a page in `docs` leads to a file that is not on the site. */
function leavesSite(page: string, link: string): boolean {
  const href = onSite(link);
  return !/^(https?:|mailto:|[/#])/.test(href) && !join(dirname(page), href).startsWith('docs/');
}

/** The anchors of a page's headings, as GitHub makes them. */
function anchorsOf(path: string): string[] {
  const prose = readFileSync(path, 'utf8').replaceAll(/^(`{3,}).*?^\1$/gms, '');
  return [...prose.matchAll(/^#+ (.+)$/gm)].map((match) => {
    const text = match[1]!.replaceAll(/\[([^\]]*)\]\([^)]*\)/g, '$1');
    return text
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N}\s_-]/gu, '')
      .replaceAll(/\s/g, '-');
  });
}

/** What is wrong with a link of a page; undefined where it leads somewhere. */
function problemOf(page: string, link: string): string | undefined {
  if (/^(https?|mailto):/.test(link)) return undefined;
  const [path = '', anchor] = link.split('#');
  const target = path === '' ? join(root, page) : join(root, dirname(page), decodeURIComponent(path));
  if (!existsSync(target)) return `${page}: ${link}, and there is no ${relative(root, target)}`;
  if (anchor === undefined || statSync(target).isDirectory()) return undefined;
  return anchorsOf(target).includes(decodeURIComponent(anchor))
    ? undefined
    : `${page}: ${link}, which has no such heading`;
}

test.each(files)('%s', (page) => {
  const links = linksIn(readFileSync(join(root, page), 'utf8'));
  expect(links.map((link) => problemOf(page, link)).filter((problem) => problem !== undefined)).toEqual([]);
});

test.each(inDocs)('%s links to what the site has', (page) => {
  const links = linksIn(readFileSync(join(root, page), 'utf8'));
  expect(links.filter((link) => leavesSite(page, link))).toEqual([]);
});

test('dead links are found', () => {
  expect(linksIn('[a](b.md) `[c](d.md)` ![e](f.png)\n```md\n[g](h.md)\n```\n')).toEqual(['b.md', 'f.png']);
  expect(problemOf('README.md', 'docs/nowhere.md')).toContain('docs/nowhere.md');
  expect(problemOf('README.md', 'docs/accuracy.md#nothing')).toContain('no such heading');
  expect(problemOf('README.md', 'docs/accuracy.md#what-was-tried')).toBeUndefined();
  expect(leavesSite('docs/guide/browser.md', '../../test/consumers')).toBe(true);
  expect(leavesSite('docs/guide/browser.md', '../../examples/browser')).toBe(false);
});
