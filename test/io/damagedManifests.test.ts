import '@tensorflow/tfjs-backend-cpu';
import type { io } from '@tensorflow/tfjs-core';
import { describe, expect, test } from 'vitest';
import { MobilenetError } from '../../src/errors';
import { loadModel } from '../../src/io/loadModel';
import { createRandom, type Random } from '../../src/random';
import { footprint, type LooseJson, smallConvNet } from './models';
import { type Artifacts, savedArtifacts } from './quantizedModels';

const seed = 31;
const ROUNDS = 400;

/** What a hostile or broken file may hold in any place. */
const oddValues: unknown[] = [
  ...[null, true, false, 0, -0, 1, -1, 2, 3, 0.5, 127, 1e308, 2 ** 31, 2 ** 53, Number.NaN, Number.POSITIVE_INFINITY],
  ...['', 'int8', 'uint8', 'uint16', 'float16', 'float32', 'int32', 'bool', 'string', 'complex64', 'optimizer'],
  ...['conv/kernel', 'dense/bias', '__proto__', 'constructor', 'toString', '1', '/', 'conv/conv_cell/kernel'],
  ...[[], {}, [1], ['float16'], ['int8'], [[3]], { dtype: 'int8' }, { dtype: 'int8', channelAxes: 1 }],
  ...[{ dtype: 'float16' }, { dtype: ['float16'], scale: 1, min: 0 }, { dtype: 'uint8', scale: 1, min: 0 }],
  ...[{ dtype: 'uint8', scale: 1e308, min: -1e308 }, { dtype: 'int8', channelAxes: [1] }, [3, 3, 3, 4], [0], undefined],
];

const pick = <T>(random: Random, values: readonly T[]): T => values[random.integer(values.length)]!;

/** Every place in the JSON, as the object and the key in it. */
function places(json: LooseJson): [parent: LooseJson, key: string][] {
  if (typeof json !== 'object' || json === null) return [];
  return Object.keys(json).flatMap((key) => [[json, key] as [LooseJson, string], ...places(json[key])]);
}

/** Changes one place of the manifest, and says how. */
function damage(manifest: LooseJson, random: Random): string {
  const [parent, key] = pick(random, places(manifest));
  const entries = manifest.length;
  const actions: [string, () => void][] = [
    ['key removed', () => delete parent[key]],
    ['entry twice', () => manifest.splice(random.integer(entries), 0, manifest[random.integer(entries)])],
    ['entry removed', () => manifest.splice(random.integer(entries), 1)],
    ['entries swapped', () => manifest.push(manifest.splice(random.integer(entries), 1)[0])],
    // Most damage goes to single values.
    ...Array.from({ length: 8 }, (): [string, () => void] => {
      const value = pick(random, oddValues);
      return [`${key} = ${JSON.stringify(value)}`, () => Object.assign(parent, { [key]: structuredClone(value) })];
    }),
  ];
  const [name, act] = pick(random, actions);
  act();
  return name;
}

/** The code of the error with which loading ends; undefined where the model loads. What was neither is thrown. */
async function outcome(artifacts: io.ModelArtifacts): Promise<string | undefined> {
  try {
    (await loadModel({ load: async () => artifacts })).dispose();
    return undefined;
  } catch (error) {
    if (error instanceof MobilenetError) return error.code;
    throw error;
  }
}

describe.each(['float16', 'int8', undefined] as const)(`quantize: %s (seed ${seed})`, (quantize) => {
  test(`${ROUNDS} damaged manifests load or end in invalid-data, and leave no tensor`, async () => {
    const random = createRandom(seed);
    const model = smallConvNet();
    const whole = await savedArtifacts(model, quantize);
    const before = footprint();
    const outcomes = { loaded: 0, refused: 0 };
    for (let round = 0; round < ROUNDS; round++) {
      const artifacts = structuredClone(whole);
      const changes = Array.from({ length: 1 + random.integer(2) }, () => damage(artifacts.weightSpecs, random));
      const label = `round ${round}: ${changes}`;
      const code = await outcome(artifacts).catch((error: unknown) => expect.fail(`${label}: ${error}`));
      expect([undefined, 'invalid-data'], label).toContain(code);
      expect(footprint(), label).toEqual(before);
      outcomes[code === undefined ? 'loaded' : 'refused']++;
    }
    // Entries in another order, or a key of no meaning, hurt nobody: but most changes must be seen.
    expect(outcomes.refused).toBeGreaterThan(0.7 * ROUNDS);
    model.dispose();
  });

  test('damaged bytes load or end in invalid-data; another number of them always does', async () => {
    const random = createRandom(seed, 1);
    const model = smallConvNet();
    const whole: Artifacts = await savedArtifacts(model, quantize);
    const before = footprint();
    const size = whole.weightData.byteLength;
    for (let round = 0; round < ROUNDS / 4; round++) {
      const noise = Uint8Array.from({ length: size }, () => random.integer(256));
      expect([undefined, 'invalid-data'], `round ${round}`).toContain(
        await outcome({ ...whole, weightData: noise.buffer }),
      );
      const other = random.integer(2 * size);
      const weightData = new ArrayBuffer(other === size ? 0 : other);
      expect(await outcome({ ...whole, weightData }), `round ${round}: ${other} bytes`).toBe('invalid-data');
      expect(footprint(), `round ${round}`).toEqual(before);
    }
    model.dispose();
  });
});
