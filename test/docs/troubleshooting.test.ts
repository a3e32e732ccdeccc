// The messages that the troubleshooting guide explains are those of the sources.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { readPage, root } from './blocks';

const page = readPage('docs/guide/troubleshooting.md');

/** Messages of tfjs, where they stand, and how they are put together there. */
const OTHERS: Record<string, { file: string; pieces: string[] }> = {
  "not registered for backend 'wasm'": {
    file: 'tfjs-core/dist/tf-core.node.js',
    pieces: ["' not registered for backend '"],
  },
  'Hi, looks like you are running TensorFlow.js in Node.js': {
    file: 'tfjs-backend-cpu/dist/tf-backend-cpu.node.js',
    pieces: ['Hi, looks like you are running TensorFlow.js in ', 'Node.js'],
  },
  'has unknown quantization dtype int8': {
    file: 'tfjs-core/dist/tf-core.node.js',
    pieces: [' has unknown ', 'quantization dtype '],
  },
};

/** Messages of browsers. */
const BROWSERS = ["Refused to create a worker from 'blob:"];

const sources = readdirSync(join(root, 'src'), { recursive: true, encoding: 'utf8' })
  .filter((path) => path.endsWith('.ts') && !path.endsWith('.generated.ts'))
  .map((path) => readFileSync(join(root, 'src', path), 'utf8'))
  .join('\n');

const messages = [...page.matchAll(/^### `(.+)`$/gm)].map((match) => match[1]!);

test.each(messages.filter((message) => !BROWSERS.includes(message)))('%s', (message) => {
  const other = OTHERS[message];
  if (other === undefined) {
    expect(sources.includes(message.replace(/^expected /, ''))).toBe(true);
  } else {
    const text = readFileSync(join(root, 'node_modules/@tensorflow', other.file), 'utf8');
    expect(other.pieces.filter((piece) => !text.includes(piece))).toEqual([]);
  }
});

test('every code of an error is explained', () => {
  const codes = [...readPage('src/errors.ts').matchAll(/^ {2}\| '([\w-]+)'/gm)].map((match) => match[1]!);
  const explained = [...page.matchAll(/^\| `([\w-]+)` \|/gm)].map((match) => match[1]!);
  expect(codes.length).toBeGreaterThan(8);
  expect(explained.sort()).toEqual(codes.sort());
});
