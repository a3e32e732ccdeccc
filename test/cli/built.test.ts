// The command line as it is published: built, in processes of its own.
import { execFile, spawn } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { beforeAll, describe, expect, test } from 'vitest';
import { smoothPng } from '../data/imageFolderFixture';
import { BUILT, type Outcome, parseLines, runBuilt, temporaryFolder } from './harness';

const folder = temporaryFolder();
const SMALL = '--alpha 0.1 --batch-size 16 --threads 1'.split(' ');
const cli = (line: string, options = {}) => runBuilt(line.split(' '), { cwd: folder, ...options });

let trained: Outcome;
beforeAll(async () => {
  mkdirSync(join(folder, 'my pictures'));
  for (const i of [1, 2]) writeFileSync(join(folder, `my pictures/${i}.png`), smoothPng(40, 40, i));
  trained = await cli(`train synthetic --limit 48 --epochs 12 ${SMALL.join(' ')} --out model --json`);
});

describe('each command prints nothing but its results on stdout', () => {
  const quiet = (outcome: Outcome) => {
    expect(outcome, outcome.stderr).toMatchObject({ code: 0, stderr: '' });
    return parseLines(outcome.stdout);
  };

  test('train', () => {
    expect(trained.code, trained.stderr).toBe(0);
    expect(parseLines(trained.stdout).map(({ epoch }) => epoch)).toEqual([
      ...Array.from({ length: 12 }, (_, i) => i + 1),
      undefined,
    ]);
    expect(trained.stderr).not.toContain('running TensorFlow.js in Node.js');
  });

  test('evaluate', async () => {
    const [{ accuracy, pictures }] = quiet(await cli('evaluate model synthetic --limit 48 --threads 1 --json'));
    expect(pictures).toBe(48);
    expect(accuracy).toBe(parseLines(trained.stdout).at(-1).testAccuracy);
  });

  test("classify, with the package's own model", async () => {
    const args = ['classify', 'cifar10:0.25', 'my pictures', '--precision', 'int8', '--top-k', '1', '--json'];
    const lines = quiet(await runBuilt(args, { cwd: folder }));
    expect(lines.map(({ picture }) => picture)).toEqual([join('my pictures', '1.png'), join('my pictures', '2.png')]);
    expect(lines[0].classes).toMatchObject([{ className: expect.any(String), probability: expect.any(Number) }]);
  });

  test('summary', async () => {
    const [{ parameters }] = quiet(await cli('summary model --json'));
    expect(parameters).toBe(parseLines(trained.stdout).at(-1).parameters);
  });

  test('convert', async () => {
    const [{ bytes }] = quiet(await cli('convert model model.safetensors --json'));
    expect(readFileSync(join(folder, 'model.safetensors')).length).toBe(bytes);
  });

  test('bench, with every runtime that is there, the engine first', async () => {
    const { code, stdout, stderr } = await cli('bench --alpha 0.05 --size 32 --seconds 0.01 --threads 1 --json');
    expect(code, stderr).toBe(0);
    const [{ rows, threads }] = parseLines(stdout);
    expect(threads).toBe(1);
    expect(rows.map(({ task, runtime }: Record<string, string>) => `${task}, ${runtime}`)).toEqual(
      ['training', 'classification'].flatMap((task) =>
        ['engine', 'tfjs wasm', 'tfjs cpu'].map((runtime) => `${task}, ${runtime}`),
      ),
    );
    for (const row of rows) expect(row.imagesPerSecond).toBeCloseTo((1000 * row.batchSize) / row.milliseconds, 3);
  });
});

test('Ctrl-C in a training leaves a checkpoint, and the command that is printed comes to the same bits', async () => {
  const args = ['train', 'synthetic', '--limit', '48', '--epochs', '12', ...SMALL, '--out', 'cut off'];
  const stopped = await runBuilt(args, { cwd: folder, interruptAt: /^epoch 1:/m });
  expect(stopped.code, stopped.stderr).toBe(130);
  expect(stopped.stdout).toBe('');
  expect(readdirSync(join(folder, 'cut off'))).not.toContain('model.json');
  const command = /^Stopped\. To go on: (.*)\n$/m.exec(stopped.stderr)![1]!;
  // By the shell that a user would paste it into.
  const { stdout } = await promisify(execFile)(command, { cwd: folder, shell: true });
  expect(stdout).toMatch(/^epoch +loss/);
  const weights = (name: string) => readFileSync(join(folder, name, 'group1-shard1of1.bin'));
  expect(weights('cut off').equals(weights('model'))).toBe(true);
});

test('Ctrl-C while it waits for paths ends it', async () => {
  const child = spawn(process.execPath, [BUILT, 'classify', 'model', '-'], { cwd: folder });
  child.stdin.write(`${join('my pictures', '1.png')}\n`);
  let stderr = '';
  child.stderr.on('data', (text) => {
    stderr += text;
  });
  // The first result has come: it waits for more.
  child.stdout.once('data', () => child.kill('SIGINT'));
  const code = await new Promise((resolve) => child.on('close', resolve));
  expect({ code, stderr }).toEqual({ code: 130, stderr: 'Stopped.\n' });
});

describe.skipIf(process.platform === 'win32')('through a pipe', () => {
  /** The output, and the exit codes of what comes before `| head -1`, as bash has them. */
  async function throughHead(line: string) {
    const script = `${line} | head -n 1; echo "codes \${PIPESTATUS[@]}"`;
    const { stdout, stderr } = await promisify(execFile)('bash', ['-c', script], { cwd: folder });
    return { lines: stdout.trim().split('\n'), stderr };
  }
  const command = `'${process.execPath}' '${BUILT}'`;

  test('a reader that has seen enough is no error', async () => {
    const paths = `for i in $(seq 200); do echo "my pictures/1.png"; done`;
    const { lines, stderr } = await throughHead(`${paths} | ${command} classify model - --top-k 10`);
    expect(stderr).toBe('');
    expect(lines[0]).toMatch(/^my pictures\/1\.png: /);
    expect(lines[1]).toMatch(/^codes \d+ 0 0$/);
  });

  test('a training goes on to its end', async () => {
    const training = `train synthetic --limit 48 --epochs 4 ${SMALL.join(' ')} --out unread --json`;
    const { lines } = await throughHead(`${command} ${training}`);
    expect(JSON.parse(lines[0]!)).toMatchObject({ epoch: 1 });
    expect(lines[1]).toBe('codes 0 0');
    expect(readdirSync(join(folder, 'unread'))).toContain('model.json');
  });
});

describe('exit codes', () => {
  test.each([
    ['--version', 0],
    ['classify model nowhere.png', 1],
    ['evaluate nowhere synthetic', 1],
    ['clasify', 2],
  ])('%s: %i', async (line, code) => {
    expect((await cli(line)).code).toBe(code);
  });
});
