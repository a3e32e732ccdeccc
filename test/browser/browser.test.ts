import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { chromiumPath } from '../../scripts/chromiumPath.mjs';
import { labelAt, makeArchive, makeFiles, officialMembers } from '../data/cifar10Fixture';
import { type Browsing, startBrowsing, why } from './chromium';
import type { Library } from './page';

type Method = keyof Library;

/** Calls one of the page's jobs. */
function call<M extends Method>(
  page: Page,
  method: M,
  ...args: Parameters<Library[M]>
): Promise<Awaited<ReturnType<Library[M]>>> {
  const job = ([name, values]: [Method, unknown[]]) =>
    (window as unknown as { library: Record<Method, (...a: unknown[]) => unknown> }).library[name](...values);
  return page.evaluate(job as never, [method, args] as never) as never;
}

/** Largest absolute difference. */
const difference = (a: number[], b: number[]) => Math.max(...a.map((value, i) => Math.abs(value - b[i]!)));

/** Largest difference between updates of a weight, as a fraction of its largest update. */
const relativeDifference = (a: number[][], b: number[][]) =>
  Math.max(...a.map((values, i) => difference(values, b[i]!) / Math.max(...b[i]!.map(Math.abs))));

describe.skipIf(!chromiumPath)(`in headless Chromium${why}`, () => {
  let browsing: Browsing;
  let plain: Page;
  let isolated: Page;
  let archive: Uint8Array;
  /** What each backend and the engine are held against. */
  let onCpu: Awaited<ReturnType<Library['trainAndPredict']>>;

  beforeAll(async () => {
    archive = await makeArchive(officialMembers(makeFiles(10_000)));
    browsing = await startBrowsing({ '/cifar-10-binary.tar.gz': () => archive });
    plain = await browsing.open('plain');
    isolated = await browsing.open('isolated');
    onCpu = await call(plain, 'trainAndPredict', 'cpu');
  });

  afterAll(() => browsing?.close());

  test.for([
    ['webgl', 'webgl', true],
    ['webgpu', 'webgpu', true],
    ['wasm, single-threaded,', 'wasm', false],
    ["wasm, tfjs's threaded build,", 'wasm', true],
  ] as const)(
    '%s trains as cpu does: losses of three steps within 1e-4, relative updates within 1e-3, predictions within 1e-4',
    { timeout: 120_000 },
    async ([, backend, threads], { skip }) => {
      const page = threads ? isolated : plain;
      if (backend === 'webgpu' && !(await call(page, 'hasWebgpu'))) skip('no WebGPU adapter is offered here');
      const actual = await call(page, 'trainAndPredict', backend);
      expect(actual).toMatchObject({ backend, isShared: backend === 'wasm' && threads });
      expect(difference(actual.predictions, onCpu.predictions)).toBeLessThan(1e-4);
      // Equal shares for all ten classes would agree whatever the kernels did.
      expect(Math.max(...onCpu.predictions)).toBeGreaterThan(0.2);
      expect(actual.losses).toHaveLength(3);
      expect(difference(actual.losses, onCpu.losses)).toBeLessThan(1e-4);
      expect(relativeDifference(actual.updates, onCpu.updates)).toBeLessThan(1e-3);
    },
  );

  describe('gradient kernels on wasm agree with cpu within 1e-4', () => {
    test.each([
      ['single-threaded', false],
      ["in tfjs's threaded build, on shared memory", true],
    ])('%s', async (_, isShared) => {
      const page = isShared ? isolated : plain;
      const expected = await call(page, 'gradients', 'cpu');
      const actual = await call(page, 'gradients', 'wasm');
      expect(actual.isShared).toBe(isShared);
      expect(difference(actual.values, expected.values)).toBeLessThan(1e-4);
    });
  });

  describe('the engine', () => {
    test('trains on two threads where memory can be shared, on one elsewhere, to the same bits', async () => {
      const two = await call(isolated, 'trainFused', 2, 'inlined');
      const one = await call(plain, 'trainFused', 2, 'inlined');
      expect(two).toMatchObject({ engine: 'fused', threads: 2 });
      expect(one).toMatchObject({ engine: 'fused', threads: 1, module: two.module });
      expect(one.losses).toEqual(two.losses);
      expect(one.updates).toEqual(two.updates);
    });

    test('trains as tfjs does: the first loss within 1e-5, those of three steps within 1e-2', async () => {
      const actual = await call(isolated, 'trainFused', 2, 'inlined');
      expect(actual.losses).toHaveLength(3);
      expect(difference(actual.losses.slice(0, 1), onCpu.losses.slice(0, 1))).toBeLessThan(1e-5);
      // Of a fresh net over 8 pictures rounding moves gradients by percents; test/engine compares what is not chaotic.
      expect(difference(actual.losses, onCpu.losses)).toBeLessThan(1e-2);
    });

    test("under a strict policy says what to do, and trains with the package's files on the page's server", async () => {
      const strict = await browsing.open('strict');
      const refused = await call(strict, 'trainFused', 2, 'inlined').catch((error: Error) => error.message);
      expect(refused).toContain('configureEngine({ createWorker');
      expect(refused).toContain('Content Security Policy');
      const complaints = browsing.complaints.splice(0);
      for (const complaint of complaints) expect(complaint).toContain("worker-src 'self'");
      const trained = await call(strict, 'trainFused', 2, 'served');
      expect(trained).toEqual(await call(isolated, 'trainFused', 2, 'inlined'));
      expect(browsing.requests.filter((path) => path === '/worker.js').length).toBeGreaterThan(0);
      expect(browsing.requests).toContain(`/wasm/${trained.module}-shared.wasm`);
    });
  });

  describe('the classifier', () => {
    test('gives the same bits on two threads and, where memory cannot be shared, on one; tfjs agrees', async () => {
      const two = await call(isolated, 'classify', { engine: 'fused', threads: 2 });
      const one = await call(plain, 'classify', { engine: 'fused', threads: 2 });
      const tfjs = await call(plain, 'classify', { engine: 'tfjs' });
      expect(two.info).toMatchObject({ engine: 'fused', threads: 2 });
      expect(one.info).toMatchObject({ engine: 'fused', threads: 1 });
      expect(new Set(two.probabilities.map(String)).size).toBe(1);
      expect(one.probabilities).toEqual(two.probabilities);
      expect(one.embedding).toEqual(two.embedding);
      expect(difference(one.probabilities[0]!, tfjs.probabilities[0]!)).toBeLessThan(1e-5);
      expect(difference(one.embedding, tfjs.embedding)).toBeLessThan(1e-4);
    });

    test('in int8 is within 0.05 of float32', async () => {
      const float32 = await call(isolated, 'classify', { engine: 'fused' });
      const int8 = await call(isolated, 'classify', { precision: 'int8' });
      expect(int8.info).toMatchObject({ engine: 'fused', precision: 'int8' });
      expect(difference(int8.probabilities[0]!, float32.probabilities[0]!)).toBeLessThan(0.05);
    });
  });

  test('a model goes into IndexedDB and comes back bit by bit; a bare path is refused', async () => {
    const { sameBits, metadata, refusal } = await call(plain, 'saveAndLoad');
    expect(sameBits).toBe(true);
    expect(metadata).toEqual({ classNames: ['a', 'b', 'c'], inputShape: [32, 32, 3] });
    expect(refusal).toContain('indexeddb://');
  });

  test('CIFAR-10 is downloaded once, and then comes from the Cache API', async () => {
    const source = new URL('/cifar-10-binary.tar.gz', plain.url()).href;
    const whole = { train: 50_000, test: 10_000, label: labelAt(5, 9_999) };
    const { length } = archive;
    expect(await call(plain, 'loadCifar10', source)).toEqual({
      ...whole,
      progress: { download: length, read: length },
    });
    expect(await call(plain, 'loadCifar10', source)).toEqual({ ...whole, progress: { read: length } });
    expect(browsing.requests.filter((path) => path.endsWith('.tar.gz'))).toHaveLength(1);
  }, 120_000);

  test('no page has complained, of a kernel registered twice least of all', () => {
    expect(browsing.complaints).toEqual([]);
  });
});
