import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { build } from 'esbuild';
import { afterAll, beforeAll, expect, test } from 'vitest';

const execute = promisify(execFile);
const folder = mkdtempSync(join(tmpdir(), 'mobilenet-classifier-'));
const here = fileURLToPath(new URL('.', import.meta.url));

beforeAll(async () => {
  const contents = `
    import '@tensorflow/tfjs-backend-cpu';
    export { createClassifier } from '../../src/classify/createClassifier';
    export { picture, tinyNet } from './models';`;
  await build({
    stdin: { contents, resolveDir: here, loader: 'ts' },
    bundle: true,
    // tfjs says of its backends that they have no side effects, and they register themselves.
    ignoreAnnotations: true,
    format: 'cjs',
    platform: 'node',
    target: 'es2022',
    external: ['sharp'],
    alias: { '#platform': join(here, '../../src/platform/node.ts') },
    tsconfigRaw: {},
    logLevel: 'silent',
    outfile: join(folder, 'library.cjs'),
  });
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Runs the body of a function in a process of its own, which has to end by itself; gives what it prints. */
async function runScript(body: string): Promise<string> {
  const path = join(folder, 'script.cjs');
  const head = "const { createClassifier, picture, tinyNet } = require('./library.cjs');";
  writeFileSync(path, `${head}\n(async () => {${body}})();`);
  return (await execute(process.execPath, [path], { timeout: 30_000 })).stdout.trim();
}

test.each(['tfjs', 'fused'])(
  '%s: a process ends by itself with a classifier alive, and not before a call is done',
  async (engine) => {
    const output = await runScript(`
    const classifier = await createClassifier(tinyNet(), { engine: '${engine}', threads: 2 });
    await classifier.embed(picture(1));
    classifier.classify(picture(0)).then(([{ className }]) => console.log(classifier.info.engine, className));`);
    expect(output).toMatch(/^(tfjs|fused) fox$/);
    expect(output.startsWith(engine)).toBe(true);
  },
);

test('awaiting dispose is safe where nothing else keeps the process alive', async () => {
  const output = await runScript(`
    const classifier = await createClassifier(tinyNet(), { engine: 'fused' });
    const pending = classifier.classify(picture(0)).catch(({ code }) => code);
    await classifier.dispose();
    console.log(await pending);`);
  expect(output).toBe('disposed');
});
