import { rmSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { EmbeddingIndex } from '../../examples/embeddings/embeddingIndex.mjs';
import { writeTree } from '../data/imageFolderFixture';
import { drawnPicture } from './drawnPictures';
import { runExample } from './runExample';

const neighbours = (...args: string[]) => runExample('embeddings/neighbours.mjs', args, folder);

let folder: string;
beforeAll(async () => {
  const star = drawnPicture('star');
  folder = await writeTree({
    'star.png': await star.clone().png().toBuffer(),
    'photos/same.png': await star.clone().png().toBuffer(),
    'photos/deep/darker.png': await star.clone().modulate({ brightness: 0.9 }).png().toBuffer(),
    'photos/stripes.jpg': await drawnPicture('stripes').jpeg().toBuffer(),
    'photos/broken.jpg': 'no picture',
    'odd/folder.jpg/same.png': await star.clone().png().toBuffer(),
  });
  symlinkSync('nowhere', join(folder, 'odd', 'gone.png'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

test('the same picture is the nearest, then one that differs little; broken ones are left out', async () => {
  const { code, stdout, stderr } = await neighbours('photos', 'star.png', '--count', '2');
  expect(code, stderr).toBe(0);
  expect(stderr).toMatch(/^Left out: photos.broken\.jpg: expected .*\n3 pictures, 1024 numbers each\n$/m);
  const rows = [...stdout.matchAll(/│ (\S+) +│ +([\d.]+) │/g)].map(([, name, cosine]) => [name, Number(cosine)]);
  expect(rows.map(([name]) => name)).toEqual([
    expect.stringMatching(/same\.png$/),
    expect.stringMatching(/darker\.png$/),
  ]);
  expect(rows[0]![1]).toBe(1);
  expect(rows[1]![1]).toBeLessThan(1);
});

test('a file that cannot be opened, and a folder with the name of a picture, are left out', async () => {
  const { code, stdout, stderr } = await neighbours('odd', 'star.png');
  expect(code, stderr).toBe(0);
  expect(stderr).toMatch(
    /^Left out: odd.folder\.jpg: expected .*\nLeft out: odd.gone\.png: expected .*\n1 pictures, 1024 numbers each\n$/m,
  );
  expect(stdout).toMatch(/same\.png/);
});

test('a picture that is missing is one line on stderr', async () => {
  const { code, stderr } = await neighbours('photos', 'nowhere.jpg');
  expect(code).toBe(1);
  expect(stderr).toMatch(/nowhere\.jpg: expected .*\n$/);
});

describe('the index', () => {
  test('sorts by angle, whatever the lengths', () => {
    const index = new EmbeddingIndex();
    index.add('opposite', Float32Array.of(-5, 0));
    index.add('across', Float32Array.of(0, 100));
    index.add('near', Float32Array.of(0.1, 0.1));
    index.add('along', Float32Array.of(1e-3, 0));
    index.add('nothing', Float32Array.of(0, 0));
    expect(index.size).toBe(5);
    const found = index.nearest(Float32Array.of(3, 0), 9);
    expect(found.map(({ name }) => name)).toEqual(['along', 'near', 'across', 'nothing', 'opposite']);
    [1, Math.SQRT1_2, 0, 0, -1].forEach((cosine, i) => void expect(found[i]!.cosine).toBeCloseTo(cosine, 6));
    expect(index.nearest(Float32Array.of(3, 0), 1)).toHaveLength(1);
  });
});
