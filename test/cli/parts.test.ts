// The parts of the command line that need no model.
import { execFileSync } from 'node:child_process';
import { EventEmitter } from 'node:events';
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { Command } from 'commander';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { disagreement } from '../../src/cli/bench/agreement';
import { benchText } from '../../src/cli/bench/benchText';
import { pictureSources } from '../../src/cli/classify/pictureSources';
import { formatOf } from '../../src/cli/convert/formats';
import { abortOnSignals, endOnAbort } from '../../src/cli/interrupts';
import { quote } from '../../src/cli/shared/quote';
import { fileSize, percent, rounded, table } from '../../src/cli/shared/text';
import { checkpointFolder, givenArguments, goOnCommand } from '../../src/cli/train/goOn';
import { smoothPng } from '../data/imageFolderFixture';
import { temporaryFolder } from './harness';

const folder = temporaryFolder();

describe('Ctrl-C', () => {
  afterEach(() => void vi.useRealTimers());

  test.each(['SIGINT', 'SIGTERM'])('%s aborts; again within a second is its echo, and later it quits', (name) => {
    vi.useFakeTimers({ toFake: ['performance'] });
    const source = new EventEmitter();
    const quit = vi.fn();
    const signal = abortOnSignals(source, quit);
    vi.advanceTimersByTime(5000);
    expect(signal.aborted).toBe(false);
    source.emit(name);
    expect(signal.aborted).toBe(true);
    vi.advanceTimersByTime(900);
    source.emit(name);
    expect(quit).not.toHaveBeenCalled();
    vi.advanceTimersByTime(200);
    source.emit('SIGINT');
    expect(quit).toHaveBeenCalledOnce();
  });

  test.each(['before', 'after'])('%s a stream is opened ends it, which its reader is told', async (when) => {
    const controller = new AbortController();
    if (when === 'before') controller.abort();
    const stream = endOnAbort(controller.signal, new PassThrough());
    // An error that nobody listens to would end the process here.
    await nextTurn();
    controller.abort();
    await expect(stream.toArray()).rejects.toMatchObject({ name: 'AbortError' });
  });
});

describe('the command to go on', () => {
  test.skipIf(process.platform === 'win32')('a shell reads quoted arguments back as they were', () => {
    const args = ['plain', 'a b', "it's", '$HOME', '`id`', 'a"b', 'back\\slash', '*', '', 'ü', '--x=1', ';ls', 'a\nb'];
    const script = `printf '%s\\0' ${args.map((argument) => quote(argument, 'linux')).join(' ')}`;
    expect(execFileSync('sh', ['-c', script], { encoding: 'utf8' }).split('\0').slice(0, -1)).toEqual(args);
  });

  test('on Windows, in double quotes', () => {
    expect(quote('C:\\my models\\a', 'win32')).toBe('"C:\\my models\\a"');
    expect(quote('C:\\models\\a', 'win32')).toBe('C:\\models\\a');
  });

  test('repeats what was given, and nothing else', () => {
    const command = new Command('train')
      .argument('[data]')
      .option('--seed <n>', '', Number, 1)
      .option('--out <dir>', '', 'model')
      .option('--json')
      .option('--checkpoint <dir>')
      .option('--resume <dir>')
      .parse(['pets', '--seed', '3', '--json', '--checkpoint', 'a', '--resume', 'b'], { from: 'user' });
    const given = givenArguments(command);
    expect(given).toEqual(['train', 'pets', '--seed', '3', '--json']);
    const line = "npx mobilenet-v1-ts train pets --seed 3 --json --resume 'check points'";
    expect(goOnCommand('npx mobilenet-v1-ts', given, 'check points')).toBe(line);
  });

  test('a single checkpoint lies in the folder that is meant', () => {
    expect(checkpointFolder('run/step-00000012-2')).toBe('run');
    expect(checkpointFolder('run')).toBe('run');
    // A folder of checkpoints that is called nearly so.
    expect(checkpointFolder('runs/step-2')).toBe('runs/step-2');
  });
});

describe('pictures to classify', () => {
  async function read(places: readonly string[], chunks: readonly (string | Uint8Array)[] = []) {
    async function* stdin() {
      for (const chunk of chunks) yield Buffer.from(chunk);
    }
    const groups = [];
    for await (const group of pictureSources(places, stdin)) groups.push(group);
    return { groups: groups.map((group) => group.map(({ name }) => name)), sources: groups.flat() };
  }

  test('files and addresses as they are; folders with all but hidden files, sorted', async () => {
    const root = join(folder, 'tree');
    for (const name of ['b', 'b/c', 'b/.hidden', '__MACOSX']) mkdirSync(join(root, name), { recursive: true });
    const files = ['b/2.PNG', 'b/c/1.jpeg', 'a.webp', 'notes.txt', 'b/.hidden/3.png', '.4.png', '__MACOSX/a.png'];
    for (const file of files) writeFileSync(join(root, file), '');
    const inside = ['a.webp', 'b/2.PNG', 'b/c/1.jpeg'].map((name) => join(root, name));
    const { groups } = await read(['x.png', root, 'https://example.com/a', join(root, 'b/.hidden')]);
    expect(groups).toHaveLength(1);
    expect(groups.flat()).toEqual(['x.png', ...inside, 'https://example.com/a', join(root, 'b/.hidden/3.png')]);
  });

  test('addresses are not looked for on the disk; one of a file that cannot be is named, and the others are read', async () => {
    const places = [`data:image/png;base64,${'A'.repeat(10_000)}`, `https://example.com/${'a'.repeat(5_000)}`];
    expect((await read(places)).sources).toEqual(places.map((place) => ({ name: place, image: place })));
    const { sources } = await read(['file://host/cat.jpg', 'x.png']);
    expect(sources).toEqual([
      { name: 'file://host/cat.jpg', refusal: expect.stringMatching(/^file:\/\/host\/cat\.jpg: .*File URL host/) },
      { name: 'x.png', image: 'x.png' },
    ]);
  });

  test('a folder without pictures, or one that cannot be read, says so in its turn', async () => {
    const [nothing, half] = [join(folder, 'nothing'), join(folder, 'half')];
    for (const path of [nothing, half]) mkdirSync(path);
    writeFileSync(join(half, 'z.png'), '');
    // It leads to itself, which even root cannot follow.
    symlinkSync('knot', join(half, 'knot'));
    const { sources } = await read([nothing, half, join(half, 'knot')]);
    const knot = { name: join(half, 'knot'), refusal: expect.stringMatching(/knot: expected a folder .* ELOOP/) };
    expect(sources).toEqual([
      { name: nothing, refusal: 'a folder without pictures' },
      knot,
      { name: join(half, 'z.png'), image: join(half, 'z.png') },
      knot,
    ]);
  });

  test('links are followed, but not back to a folder that they are in', async () => {
    const root = join(folder, 'links');
    mkdirSync(join(root, 'a/b'), { recursive: true });
    for (const name of ['1.png', 'a/2.png', 'a/b/3.png']) writeFileSync(join(root, name), '');
    // Only one: followed 40 levels deep, two would be 2^40 folders, and a failure of this test a hang.
    symlinkSync('..', join(root, 'a/up'));
    symlinkSync('a/b', join(root, 'shortcut'));
    const inside = ['1.png', 'a/2.png', 'a/b/3.png', 'shortcut/3.png'].map((name) => join(root, name));
    expect((await read([root])).groups.flat()).toEqual(inside);
    expect((await read([pathToFileURL(root).href])).groups.flat()).toEqual(inside);
  });

  test('paths from stdin come as they come, cut anywhere, with any line ends, and as zeros divide them', async () => {
    const { groups } = await read(
      ['-'],
      ['first picture.', 'png\nse', 'cond.png\r\n', 'third.png\0fourth.png', '\0ü', '.png'],
    );
    expect(groups.filter((group) => group.length > 0)).toEqual([
      ['first picture.png'],
      ['second.png'],
      ['third.png'],
      ['fourth.png'],
      ['ü.png'],
    ]);
    expect((await read(['-'], [])).groups.flat()).toEqual([]);
    expect((await read(['-'], ['\n'])).groups.flat()).toEqual([]);
  });

  test('arguments before and behind the dash', async () => {
    const { groups } = await read(['a.png', '-', 'c.png'], ['b.png']);
    expect(groups.flat()).toEqual(['a.png', 'b.png', 'c.png']);
  });

  test.each([1, 7, 1000])('a picture from stdin in pieces of %i bytes', async (size) => {
    const png = smoothPng(20, 10);
    const pieces = Array.from({ length: Math.ceil(png.length / size) }, (_, i) =>
      png.subarray(i * size, (i + 1) * size),
    );
    const { sources } = await read(['-'], pieces);
    expect(sources).toEqual([{ name: '-', image: png }]);
  });

  test.each([
    ['JPEG', '\xff\xd8\xff\xe0\0\x10JFIF\0\0'],
    ['WebP', 'RIFF\x24\x01\0\0WEBPVP8 '],
    ['AVIF', '\0\0\0\x20ftypavif\0\0'],
    ['GIF', 'GIF89a\x01\0\x01\0\0\0\0'],
    ['BMP', 'BM\x3a\0\0\0\0\0\0\0\x36\0'],
    ['TIFF', 'II*\0\x08\0\0\0\0\0\0\0'],
  ])('%s is known by its first bytes', async (_, header) => {
    const { sources } = await read(['-'], [Buffer.from(header, 'latin1')]);
    expect(sources.map(({ name }) => name)).toEqual(['-']);
  });

  test('paths that look a little like pictures are paths', async () => {
    for (const path of ['./a/ftypical.png', 'BM-train-12.png', 'GIF8 collection.gif', 'RIFFs and WEBP.webp']) {
      expect((await read(['-'], [`${path}\n`])).groups.flat()).toEqual([path]);
    }
  });
});

test('formats go by names', () => {
  const names = ['a.onnx', 'a.KERAS', 'a.h5', 'a.hdf5', 'a.safetensors', 'x/a.tflite', 'model', 'v1.0', 'x.y/model'];
  const formats = ['onnx', 'keras', 'h5', 'h5', 'safetensors', 'tflite', 'tfjs', 'tfjs', 'tfjs'];
  expect(names.map(formatOf)).toEqual(formats);
  expect(formatOf('a.pb')).toBeUndefined();
  const addresses = ['m.safetensors?download=true', 'm.h5#v1', 'model?v=a.onnx', 'model.json?raw=1'];
  expect(addresses.map((address) => formatOf(`https://example.com/v1.0/${address}`))).toEqual([
    'safetensors',
    'h5',
    'tfjs',
    undefined,
  ]);
  expect(['why?.h5', 'a#1.onnx', 'https://'].map(formatOf)).toEqual(['h5', 'onnx', 'tfjs']);
});

describe('a bench', () => {
  const engine = { name: 'engine', losses: [2.3, 2.1], probabilities: [0.7, 0.3] };

  test('of runtimes that agree has no objection', () => {
    const close = { name: 'tfjs', losses: [2.301, 2.099], probabilities: [0.70001, 0.29999] };
    expect(disagreement([engine, close])).toBeUndefined();
  });

  test.each([
    ['losses', { losses: [2.3, 2.2] }],
    ['losses that are none', { losses: [2.3, Number.NaN] }],
    ['fewer losses', { losses: [2.3] }],
    ['probabilities', { probabilities: [0.6, 0.4] }],
    ['more probabilities', { probabilities: [0.7, 0.3, 0] }],
  ])('of runtimes with other %s names them', (_, other) => {
    expect(disagreement([engine, { ...engine, name: 'tfjs', ...other }])).toMatch(/disagree.*\nengine: .*\ntfjs: /);
  });

  test('says how many times the engine is faster', () => {
    const rows = [
      { task: 'training', runtime: 'engine', batchSize: 128, milliseconds: 64, imagesPerSecond: 2000 },
      { task: 'training', runtime: 'tfjs cpu', batchSize: 4, milliseconds: 1000, imagesPerSecond: 4 },
    ] as const;
    const environment = { processor: 'a processor', processors: 2, runtime: 'Node 20' };
    const result = { alpha: 0.25, sizes: { train: 32, classify: 224 }, threads: 2, module: 'simd', environment, rows };
    const text = benchText(result);
    expect(text).toMatch(/training {2}tfjs cpu +4 +1000 +4\.00 +500 x$/m);
    expect(text).not.toContain('tfjs wasm');
    const wasm = { ...rows[1], runtime: 'tfjs wasm' };
    expect(benchText({ ...result, rows: [...rows, wasm] })).toContain("with this library's gradients");
  });
});

test('text', () => {
  expect(table(['a', 'bb'], [['xyz', '1']])).toBe('a    bb\nxyz   1');
  expect([percent(0.1234), percent(undefined), percent(Number.NaN)]).toEqual(['12.3 %', '?', '?']);
  expect([rounded(1234.5), rounded(0.01234)]).toEqual(['1235', '0.0123']);
  expect([fileSize(1234), fileSize(12_345_678)]).toEqual(['1.2 kB', '12.3 MB']);
});
