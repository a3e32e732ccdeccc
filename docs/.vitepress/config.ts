import { cpSync } from 'node:fs';
import { join } from 'node:path';
import { defineConfig } from 'vitepress';
import { apiLinks, apiPages, apiSidebar } from './apiPages';
import { chinese, chineseSearch } from './chinese';
import { drawCharts, linkNames, linkRepository } from './markdown';
import { guideSidebar } from './sidebar';
import { words } from './words';

// VitePress takes a link to a file of a kind that it does not know for a link to a page.
process.env.VITE_EXTRA_EXTENSIONS = 'jsonl';

/** Where the site lies on its server. */
const base = process.env.DOCS_BASE ?? '/';
const pages = apiPages();

export default defineConfig({
  base,
  title: 'mobilenet-v1-ts',
  description: 'MobileNetV1 in TypeScript, trained on a plain CPU at the speed of native code.',
  head: [['link', { rel: 'icon', type: 'image/svg+xml', href: `${base}logo.svg` }]],
  locales: { root: { label: 'English', lang: 'en' }, zh: chinese },
  markdown: {
    config(md) {
      linkRepository(md);
      linkNames(md, apiLinks(pages), base);
      drawCharts(md);
    },
  },
  themeConfig: {
    logo: '/logo.svg',
    nav: [
      { text: 'Quick start', link: '/guide/quickStart' },
      { text: 'Tutorial', link: '/guide/tutorial' },
      { text: 'Guides', link: '/guide/functions', activeMatch: '^/guide/(?!quickStart|tutorial)' },
      { text: 'API', link: '/api/mobilenet-v1-ts/', activeMatch: '^/api/' },
      { text: 'Performance', link: '/guide/performance' },
    ],
    sidebar: { '/api/': apiSidebar(pages), '/': guideSidebar },
    outline: [2, 3],
    // Few pages are there in both languages, and those link to each other.
    i18nRouting: false,
    search: {
      provider: 'local',
      options: {
        locales: { zh: chineseSearch },
        miniSearch: { options: { tokenize: words } },
      },
    },
  },
  transformPageData({ relativePath, frontmatter }) {
    // Tables need the room more than a list of their few headings.
    if (relativePath.startsWith('api/')) frontmatter.aside = false;
  },
  buildEnd({ srcDir, outDir }) {
    cpSync(join(srcDir, 'results'), join(outDir, 'results'), { recursive: true });
  },
});
