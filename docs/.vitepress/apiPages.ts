// What TypeDoc has written into docs/api: `npm run docs` does so before VitePress reads this.
import { existsSync, readdirSync } from 'node:fs';
import { basename, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { DefaultTheme } from 'vitepress';

const folder = fileURLToPath(new URL('../api', import.meta.url));

/** The folders of a module, in the order of the sidebar, and what they are called there. */
const KINDS = [
  ['functions', 'Functions'],
  ['variables', 'Values'],
  ['classes', 'Classes'],
  ['interfaces', 'Interfaces'],
  ['type-aliases', 'Types'],
] as const;

/** A page of the reference. */
interface ApiPage {
  /** What is exported. */
  name: string;
  module: string;
  kind: string;
  link: string;
}

/** Every page of something exported. */
export function apiPages(): ApiPage[] {
  if (!existsSync(folder)) return [];
  const paths = readdirSync(folder, { recursive: true, encoding: 'utf8' });
  return paths
    .map((path) => path.split(sep))
    .filter((parts) => parts.at(-1)!.endsWith('.md') && KINDS.some(([kind]) => kind === parts.at(-2)))
    .map((parts) => {
      const name = basename(parts.at(-1)!, '.md');
      const link = `/api/${[...parts.slice(0, -1), name].join('/')}`;
      return { name, module: parts.slice(0, -2).join('/'), kind: parts.at(-2)!, link };
    })
    .sort((a, b) => a.name.localeCompare(b.name, 'en'));
}

/** A section for each module, the long lists of types closed. */
export function apiSidebar(pages: readonly ApiPage[]): DefaultTheme.SidebarItem[] {
  const modules = [...new Set(pages.map(({ module }) => module))].sort();
  return modules.map((module) => ({
    text: module,
    link: `/api/${module}/`,
    items: KINDS.map(([kind, text]) => ({
      text,
      collapsed: kind === 'interfaces' || kind === 'type-aliases',
      items: pages
        .filter((page) => page.module === module && page.kind === kind)
        .map(({ name, link }) => ({ text: name, link })),
    })).filter(({ items }) => items.length > 0),
  }));
}

/** Addresses by the name of what is exported, to link to wherever a page names it. */
export function apiLinks(pages: readonly ApiPage[]): ReadonlyMap<string, string> {
  return new Map(pages.map(({ name, link }) => [name, link]));
}
