// What these pages have beyond VitePress's Markdown. All of them also read well where nothing of this is done.
import type { MarkdownRenderer } from 'vitepress';

/** Names of what the package exports, where a page sets them as code, lead to their pages of the reference. */
export function linkNames(md: MarkdownRenderer, links: ReadonlyMap<string, string>, base: string): void {
  const { code_inline: render } = md.renderer.rules;
  md.renderer.rules.code_inline = (tokens, index, options, env, self) => {
    const html = render!(tokens, index, options, env, self);
    const link = links.get(tokens[index]!.content);
    const isPlain = link !== undefined && !isInLink(tokens, index) && !String(env.relativePath).startsWith('api/');
    return isPlain ? `<a class="api" href="${base}${link.slice(1)}.html">${html}</a>` : html;
  };
}

function isInLink(tokens: readonly { type: string }[], index: number): boolean {
  const links = tokens.slice(0, index).filter(({ type }) => type === 'link_open' || type === 'link_close');
  return links.at(-1)?.type === 'link_open';
}

/** Where pages link to files of the repository that are pages here, or that are shown as pages. */
const PAGES: readonly [file: RegExp, page: string][] = [
  [/^(\.\.\/)*CHANGELOG\.md$/, '/changelog'],
  [/^(\.\.\/)*CONTRIBUTING\.md$/, '/contributing'],
  [/^(\.\.\/)*examples\/(\w+)\/\w+\.mjs$/, '/examples#$2'],
  [/^(\.\.\/)*examples(\/.*)?$/, '/examples'],
  // In what stands a folder above the pages.
  [/^docs\/(.+?)(\.md)?$/, '/$1'],
];

/** Links that hold in the repository hold on the site too. */
export function linkRepository(md: MarkdownRenderer): void {
  md.core.ruler.push('repository-links', ({ tokens }) => {
    for (const token of tokens.flatMap(({ children }) => children ?? [])) {
      const href = token.type === 'link_open' ? token.attrGet('href') : null;
      if (href !== null) token.attrSet('href', onSite(href));
    }
  });
}

/** Where a link leads on the site. */
export function onSite(href: string): string {
  const [file, page] = PAGES.find(([pattern]) => pattern.test(href)) ?? [];
  return file === undefined ? href : href.replace(file, page!);
}

/** Mermaid's charts of lines, which GitHub draws by itself, become charts of uPlot. */
export function drawCharts(md: MarkdownRenderer): void {
  const { fence: render } = md.renderer.rules;
  md.renderer.rules.fence = (tokens, index, options, env, self) => {
    const { info, content } = tokens[index]!;
    const chart = info.trim() === 'mermaid' ? parseChart(content) : undefined;
    if (chart === undefined) return render!(tokens, index, options, env, self);
    return `<LineChart v-bind="${md.utils.escapeHtml(JSON.stringify(chart))}" />`;
  };
}

/** A chart of lines over 1, 2, 3 and so on. */
export interface Chart {
  title: string;
  xTitle: string;
  yTitle: string;
  lines: number[][];
}

/** Reads Mermaid's `xychart-beta`; undefined for whatever else it draws. */
export function parseChart(text: string): Chart | undefined {
  if (!text.startsWith('xychart-beta')) return undefined;
  const quoted = (name: string) => new RegExp(`^ *${name} "([^"]*)"`, 'm').exec(text)?.[1] ?? '';
  const lines = [...text.matchAll(/^ *line \[([^\]]*)\]/gm)].map((match) => match[1]!.split(',').map(Number));
  return { title: quoted('title'), xTitle: quoted('x-axis'), yTitle: quoted('y-axis'), lines };
}
