import * as fs from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import {
  type Checkpoint,
  listCheckpoints,
  readCheckpoint,
  removeCheckpointsAfter,
  writeCheckpoint,
} from '../../src/io/checkpointFolder';
import { createRandom } from '../../src/random';

/** What the process still does before it is killed; infinite where it is not. */
let callsLeft = Number.POSITIVE_INFINITY;

vi.mock('node:fs/promises', async (original) => {
  const actual = await original<typeof fs>();
  const mortal = <A extends unknown[], R>(call: (...args: A) => Promise<R>) => {
    return async (...args: A) => {
      if (callsLeft-- <= 0) throw Object.assign(new Error('killed'), { code: 'KILLED', syscall: 'kill' });
      return call(...args);
    };
  };
  return {
    ...actual,
    mkdir: mortal(actual.mkdir),
    open: mortal(actual.open),
    readdir: mortal(actual.readdir as (path: string) => Promise<string[]>),
    rename: mortal(actual.rename),
    rm: mortal(actual.rm),
  };
});

let root: string;
let dir: string;
beforeEach(async () => {
  root = await fs.mkdtemp(join(tmpdir(), 'mobilenet-checkpoint-'));
  dir = `${root}/run`;
});
afterEach(async () => {
  callsLeft = Number.POSITIVE_INFINITY;
  await fs.rm(root, { recursive: true });
});

const checkpointOf = (step: number): Checkpoint => ({
  step,
  tensors: new Map([
    ['weights/0', { shape: [2, 2], data: Float32Array.of(step, -0, Number.NaN, 1e-45) }],
    ['momentum/0', { shape: [3], data: Float32Array.of(0.1, 0.2, step / 3) }],
  ]),
  record: { seed: 7, history: [{ epoch: 1, loss: 1e-7 + step }], text: 'ü "quoted" \u2028' },
});

const write = (...steps: number[]) =>
  steps.reduce(
    async (before, step) => [...(await before), await writeCheckpoint(dir, checkpointOf(step), { keep: 9 })],
    Promise.resolve<string[]>([]),
  );

describe('writing and reading', () => {
  test('what is written comes back, from the folder of checkpoints or from its own', async () => {
    const path = await writeCheckpoint(dir, checkpointOf(1234));
    expect(path).toBe(`${dir}/step-00001234`);
    for (const from of [dir, `${dir}/`, path, `${path}/`, pathToFileURL(dir).href, pathToFileURL(path).href]) {
      const { path: read, ...checkpoint } = await readCheckpoint(from);
      expect(checkpoint).toEqual(checkpointOf(1234));
      expect(read).toMatch(/run\/step-00001234\/?$/);
    }
    expect(Object.is((await readCheckpoint(dir)).tensors.get('weights/0')!.data[1], -0)).toBe(true);
  });

  test('two files, of which one vouches for the other', async () => {
    const [path] = await write(5);
    expect(await fs.readdir(path!)).toEqual(['checkpoint.json', 'state.safetensors']);
    expect(await fs.readdir(dir)).toEqual(['step-00000005']);
    const manifest = JSON.parse(await fs.readFile(`${path}/checkpoint.json`, 'utf8'));
    expect(manifest).toMatchObject({
      format: 'mobilenet-v1-ts checkpoint',
      version: 1,
      step: 5,
      state: {
        bytes: (await fs.stat(`${path}/state.safetensors`)).size,
        sha256: expect.stringMatching(/^[0-9a-f]{64}$/),
      },
      record: checkpointOf(5).record,
    });
  });

  test('a record is JSON: numbers that it does not know become null', async () => {
    const record = { rate: Number.NaN, best: undefined, 2: 'two', 1: 'one' };
    await writeCheckpoint(dir, { ...checkpointOf(1), record });
    expect((await readCheckpoint(dir)).record).toEqual({ rate: null, 2: 'two', 1: 'one' });
  });

  test('one that was copied under another name is read too', async () => {
    const [path] = await write(5);
    await fs.cp(path!, `${root}/best`, { recursive: true });
    expect(await readCheckpoint(`${root}/best`)).toMatchObject({ step: 5, path: `${root}/best` });
  });
});

test('of a copy that a training went on from and wrote into, the newest in it is read', async () => {
  const [path] = await write(3);
  dir = join(root, 'copy');
  await fs.cp(path!, dir, { recursive: true });
  expect((await readCheckpoint(dir)).step).toBe(3);
  const [, newest] = await write(5, 8);
  expect(await readCheckpoint(dir)).toMatchObject({ path: newest, step: 8 });
});

describe('which stay', () => {
  test('the newest two unless told; other things in the folder are left alone', async () => {
    await fs.mkdir(`${dir}/notes`, { recursive: true });
    await fs.writeFile(`${dir}/report.html`, '');
    for (const step of [1, 2, 30]) await writeCheckpoint(dir, checkpointOf(step));
    expect(await fs.readdir(dir)).toEqual(['notes', 'report.html', 'step-00000002', 'step-00000030']);
    await writeCheckpoint(dir, checkpointOf(40), { keep: 1 });
    expect(await fs.readdir(dir)).toEqual(['notes', 'report.html', 'step-00000040']);
  });

  test('newest first by number, with eight digits and more', async () => {
    await write(9, 99_999_999, 100_000_000);
    expect((await listCheckpoints(dir)).map(({ step }) => step)).toEqual([100_000_000, 99_999_999, 9]);
    expect(await listCheckpoints(`${dir}/nowhere`)).toEqual([]);
  });

  test('a second one of the same step stands beside the first until it is old', async () => {
    await write(7);
    const path = await writeCheckpoint(dir, { ...checkpointOf(7), record: 'second' });
    expect(path).toBe(`${dir}/step-00000007-2`);
    expect(await readCheckpoint(dir)).toMatchObject({ step: 7, record: 'second', path });
    for (let i = 3; i <= 11; i++) await writeCheckpoint(dir, checkpointOf(7));
    expect((await fs.readdir(dir)).sort()).toEqual(['step-00000007-10', 'step-00000007-11']);
    expect((await readCheckpoint(dir)).path).toBe(`${dir}/step-00000007-11`);
  });

  test('later ones are another training: they are refused, unless this one went back', async () => {
    const [first] = await write(10, 20, 20, 30);
    await expect(writeCheckpoint(dir, checkpointOf(25))).rejects.toMatchObject({
      code: 'invalid-argument',
      message: expect.stringMatching(/after 25, received .*step-00000030\. .*resume.*another folder/),
    });
    await removeCheckpointsAfter(`${root}/other`, first!);
    expect(await listCheckpoints(dir)).toHaveLength(4);
    await removeCheckpointsAfter(dir, `${dir}/step-00000020`);
    expect(await fs.readdir(dir)).toEqual(['step-00000010', 'step-00000020']);
    await removeCheckpointsAfter(`${dir}/`, first!);
    expect(await fs.readdir(dir)).toEqual(['step-00000010']);
    await writeCheckpoint(dir, checkpointOf(15));
  });

  test.each([
    ['step', { step: 0.5 }, {}],
    ['keep', { step: 1 }, { keep: 0 }],
  ])('refuses a %s that is none', async (name, { step }, options) => {
    await expect(writeCheckpoint(dir, checkpointOf(step), options)).rejects.toThrow(`checkpoint: expected ${name}`);
  });
});

describe('nothing to read is a clear error', () => {
  test.each([
    ['no folder', async () => {}, 'no such folder'],
    ['an empty folder', () => fs.mkdir(dir), 'a folder without any'],
    ['a folder of other things', () => fs.mkdir(`${dir}/step-by-step`, { recursive: true }), 'a folder without any'],
  ])('%s', async (_, make, received) => {
    await make();
    await expect(readCheckpoint(dir)).rejects.toMatchObject({
      code: 'file-system',
      message: expect.stringContaining(`received ${received}. Check the path, or leave resume out`),
    });
  });

  test('a file in the way of writing', async () => {
    await fs.writeFile(dir, '');
    await expect(writeCheckpoint(dir, checkpointOf(1))).rejects.toMatchObject({ code: 'file-system' });
  });
});

describe('what is torn, damaged or foreign is refused, and the one before it is offered', () => {
  let before: string;
  let newest: string;
  beforeEach(async () => {
    [before, newest] = (await write(1200, 1234)) as [string, string];
  });

  const refusal = (file: string, words: string) => ({
    code: 'invalid-data',
    message: expect.stringMatching(new RegExp(`^${newest}/${file}: .*${words}.* whole: resume: '${before}'\\.$`, 's')),
  });

  test.each(['state.safetensors', 'checkpoint.json'])('%s, cut at every byte', async (name) => {
    const whole = await fs.readFile(`${newest}/${name}`);
    // Without its last byte, a line feed, the manifest is whole.
    const shortest = name === 'checkpoint.json' ? whole.length - 1 : whole.length;
    for (let length = 0; length < shortest; length++) {
      await fs.writeFile(`${newest}/${name}`, whole.subarray(0, length));
      await expect(readCheckpoint(dir)).rejects.toMatchObject(refusal(name, ''));
    }
    await fs.writeFile(`${newest}/${name}`, whole);
    expect(await readCheckpoint(dir)).toMatchObject({ step: 1234 });
  });

  const seed = 21;
  test.each(['state.safetensors', 'checkpoint.json'])(
    `%s, a bit flipped in every byte (seed ${seed})`,
    async (name) => {
      const random = createRandom(seed);
      const whole = await fs.readFile(`${newest}/${name}`);
      for (let at = 0; at < whole.length; at++) {
        const damaged = Uint8Array.from(whole);
        damaged[at]! ^= 1 << random.integer(8);
        await fs.writeFile(`${newest}/${name}`, damaged);
        const read = await readCheckpoint(dir).catch((error) => error);
        // JSON has different words for the same, such as 1e-7 and 1E-7.
        if (read.code === undefined) expect(read).toEqual({ ...checkpointOf(1234), path: newest });
        else expect(read).toMatchObject(refusal(name, ''));
        if (name === 'state.safetensors') expect(read.code).toBe('invalid-data');
      }
    },
  );

  test.each(['state.safetensors', 'checkpoint.json'])('%s, missing', async (name) => {
    await fs.rm(`${newest}/${name}`);
    await expect(readCheckpoint(dir)).rejects.toMatchObject(refusal(name, 'no such file'));
    await expect(readCheckpoint(newest)).rejects.toMatchObject(refusal(name, 'no such file'));
  });

  test.each([
    ['another JSON', { weights: [] }, 'expected a mobilenet-v1-ts checkpoint, received another JSON'],
    ["another program's", { format: 'layers-model' }, 'received layers-model'],
    ['a list', [1], 'received another JSON'],
    ['a later version', { format: 'mobilenet-v1-ts checkpoint', version: 2 }, 'version 1 of the format, received 2'],
    ['no digest', { format: 'mobilenet-v1-ts checkpoint', version: 1, step: 3 }, 'SHA-256 undefined'],
  ])('%s', async (_, manifest, words) => {
    await fs.writeFile(`${newest}/checkpoint.json`, JSON.stringify(manifest));
    await expect(readCheckpoint(dir)).rejects.toMatchObject(refusal('checkpoint.json', words));
  });

  test("another checkpoint's tensors", async () => {
    await fs.cp(`${before}/state.safetensors`, `${newest}/state.safetensors`);
    await expect(readCheckpoint(dir)).rejects.toMatchObject(refusal('state.safetensors', 'SHA-256'));
  });

  test('what is offered is whole itself', async () => {
    const torn = await writeCheckpoint(dir, checkpointOf(1300), { keep: 9 });
    for (const path of [newest, torn]) await fs.truncate(`${path}/state.safetensors`, 10);
    await expect(readCheckpoint(dir)).rejects.toThrow(`resume: '${before}'`);
    await expect(readCheckpoint(newest)).rejects.toThrow(`resume: '${before}'`);
    await fs.truncate(`${before}/state.safetensors`, 10);
    await expect(readCheckpoint(dir)).rejects.toThrow('There is no whole one before it.');
    await expect(readCheckpoint(before)).rejects.toThrow('There is no whole one before it.');
  });

  test('the training that goes on from it replaces the torn one', async () => {
    await fs.truncate(`${newest}/state.safetensors`, 10);
    const { path, step } = await readCheckpoint(before);
    await removeCheckpointsAfter(dir, path);
    expect(step).toBe(1200);
    await writeCheckpoint(dir, checkpointOf(1234));
    expect(await readCheckpoint(dir)).toMatchObject({ step: 1234 });
  });
});

test.each([1, 2])(
  'keep %i, killed at every call to the file system: a whole one, no older than the last',
  async (keep) => {
    const steps: number[] = [];
    for (let calls = 0, done = false; !done; calls++) {
      await fs.rm(dir, { recursive: true, force: true });
      for (const step of [1, 2, 3]) await writeCheckpoint(dir, checkpointOf(step), { keep });
      callsLeft = calls;
      done = await writeCheckpoint(dir, checkpointOf(4), { keep }).then(
        () => true,
        () => false,
      );
      callsLeft = Number.POSITIVE_INFINITY;

      const { path, ...checkpoint } = await readCheckpoint(dir);
      expect(path).toBe(`${dir}/step-0000000${checkpoint.step}`);
      expect(checkpoint).toEqual(checkpointOf(checkpoint.step));
      expect(checkpoint.step).toBeGreaterThanOrEqual(done ? 4 : 3);
      steps.push(checkpoint.step);

      await writeCheckpoint(dir, checkpointOf(5), { keep });
      expect(await fs.readdir(dir)).toEqual((await listCheckpoints(dir)).map(({ path }) => path.slice(-13)).reverse());
      expect(await listCheckpoints(dir)).toHaveLength(keep);
    }
    // It was killed before the new one stood, and after.
    expect(new Set(steps.slice(0, -1))).toEqual(new Set([3, 4]));
    expect(steps.length).toBeGreaterThan(8);
  },
);
