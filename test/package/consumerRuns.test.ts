import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { differences } from '../consumers/compare.mjs';
import { type ConsumerRun, listConsumers } from '../consumers/install.mjs';

// `npm run consumers` needs the registry, and is no part of `npm test`; that it would notice a failure is.

describe('what a consumer found is compared with what the build finds', () => {
  const expected = { threads: 2, loss: 2.7364, className: 'square', trained: { probability: 0.327 } };

  test('the same, but for rounding, and whatever it says beside that', () => {
    expect(differences({ ...expected, loss: 2.7369, more: 1 }, expected)).toEqual([]);
    expect(differences([expected, expected], expected)).toEqual([]);
  });

  test.each<[received: unknown, difference: RegExp]>([
    [{ ...expected, threads: 1 }, /^result\.threads: expected 2, received 1$/],
    [{ ...expected, loss: 2.7384 }, /^result\.loss: /],
    [{ ...expected, loss: Number.NaN }, /^result\.loss: .* NaN$/],
    [{ ...expected, loss: undefined }, /^result\.loss: .* undefined$/],
    [{ ...expected, className: 'circle' }, /^result\.className: /],
    [{ ...expected, trained: undefined }, /^result\.trained: expected an object/],
    [{ ...expected, trained: { probability: 0.3 } }, /^result\.trained\.probability: /],
    [[expected, { ...expected, threads: 3 }], /^result 2\.threads: /],
    [undefined, /^result: expected an object/],
    [[], /^result: expected at least one/],
  ])('%j is another', (received, difference) => {
    expect(differences(received, expected)).toEqual([expect.stringMatching(difference)]);
  });
});

test('every consumer says how it is run, by scripts that it has', async () => {
  const names = await listConsumers();
  expect(names.length).toBeGreaterThan(10);
  for (const name of names) {
    const manifest = new URL(`../consumers/${name}/package.json`, import.meta.url);
    const { consumer, scripts }: { consumer: ConsumerRun[]; scripts: Record<string, string> } = JSON.parse(
      readFileSync(manifest, 'utf8'),
    );
    expect(consumer, name).not.toEqual([]);
    for (const { build, run, serve, folder } of consumer) {
      expect(
        [run, serve, folder].filter((way) => way !== undefined),
        name,
      ).toHaveLength(1);
      const called = [build, run, serve].filter((script) => script !== undefined);
      expect(Object.keys(scripts), name).toEqual(expect.arrayContaining(called));
    }
  }
});
