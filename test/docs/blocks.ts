// The code blocks of Markdown pages, and what stands about each in a comment that readers do not see:
//
//   <!-- check: continues -->       goes on from the block before it: one program
//   <!-- check: short -->           trained on few pictures for one epoch; CIFAR-10 is drawn (shortTrainings.mjs)
//   <!-- check: roughly -->         numbers that it prints may be others
//   <!-- check: browser -->         runs in Chromium; an html block before it, that it continues, is its page
//   <!-- check: compile only: needs a camera -->
//   <!-- check: prints -->          this block is what the program before it prints
//
// Further lines of such a comment are run after the block: what ends a server, or shows that it works.
// Without a comment a block of TypeScript is a program of its own.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = fileURLToPath(new URL('../..', import.meta.url));

export interface Block {
  /** Of its first line of code, from 1. */
  line: number;
  /** What stands behind the opening fence. */
  info: string;
  language: string;
  code: string;
  checks: readonly string[];
  /** Run after the block. */
  afterwards: string;
}

/** Consecutive blocks of a page that make one program. */
export interface Program {
  /** The page and the line. */
  name: string;
  /** Its file's name, without an extension. */
  id: string;
  /** TypeScript. */
  code: string;
  afterwards: string;
  /** Of its page, where an html block belongs to it. */
  html: string | undefined;
  checks: ReadonlySet<string>;
  /** Lines, from the blocks that say what it prints. */
  prints: readonly string[];
}

/** The pages whose programs run; those in Chinese have the same code (chinese.test.ts). */
export const pages = [
  'README.md',
  'docs/index.md',
  'docs/cifar10ModelCard.md',
  ...readdirSync(join(root, 'docs/guide')).map((name) => `docs/guide/${name}`),
].filter((path) => path.endsWith('.md'));

/** Of these languages blocks are programs. */
const PROGRAMS = ['ts', 'js'];

export function readPage(path: string): string {
  return readFileSync(join(root, path), 'utf8');
}

export function blocksOf(markdown: string): Block[] {
  const fence = /(?:^<!-- check: ([^\n]*?)(?: -->|\n(.*?)-->)\n+)?^(`{3,})([^\n]*)\n(.*?)^\3$/gms;
  return [...markdown.matchAll(fence)].map((match) => {
    const [whole, checks = '', afterwards = '', ticks, info, code] = match;
    const before = markdown.slice(0, match.index + whole.indexOf(`${ticks}${info}`));
    return {
      line: before.split('\n').length + 1,
      info: info!.trim(),
      language: /^\w*/.exec(info!)![0],
      code: code!,
      checks: checks
        .split(',')
        .map((check) => check.trim())
        .filter((check) => check !== ''),
      afterwards,
    };
  });
}

/** The programs of a page. */
export function programsOf(page: string, blocks = blocksOf(readPage(page))): Program[] {
  const programs: (Program & { prints: string[]; checks: Set<string> })[] = [];
  let html: string | undefined;
  for (const { language, code, checks, afterwards, line } of blocks) {
    const last = programs.at(-1);
    const lines = code.split('\n').filter((text) => text.trim() !== '');
    if (checks.includes('prints')) last?.prints.push(...lines);
    if (language === 'html') html = code;
    if (!PROGRAMS.includes(language)) continue;
    const continued = checks.includes('continues');
    if (continued && last && html === undefined) {
      last.code += code;
      last.afterwards += afterwards;
      for (const check of checks) last.checks.add(check);
    } else {
      const id = `${page.replaceAll(/\W/g, '_')}_${line}`;
      const body = continued ? html : undefined;
      programs.push({ name: `${page}:${line}`, id, code, afterwards, html: body, checks: new Set(checks), prints: [] });
    }
    html = undefined;
  }
  return programs;
}

/** Why a program is only compiled; undefined where it runs. */
export function compileOnly({ checks }: Program): string | undefined {
  return [...checks].find((check) => check.startsWith('compile only'));
}
