// Asks every public address of ImageNet weights, and of the checksums beside them, whether it is there; tests cannot, as
// they need no network. Exits with 1 where one is missing.
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const { outputFiles } = await build({
  absWorkingDir: fileURLToPath(new URL('..', import.meta.url)),
  entryPoints: ['src/formats/pretrained/pretrainedNetworks.ts'],
  bundle: true,
  write: false,
  format: 'esm',
});
const source = Buffer.from(outputFiles.map(({ text }) => text).join('')).toString('base64');
/** @type {typeof import('../src/formats/pretrained/pretrainedNetworks')} */
const { pretrainedFiles } = await import(`data:text/javascript;base64,${source}`);

/** @param {string} url */
async function ask(url) {
  try {
    const { ok, status, headers } = await fetch(url, { method: 'HEAD', signal: AbortSignal.timeout(30_000) });
    return { ok, answer: `${status}, ${headers.get('content-length') ?? 'unknown'} bytes` };
  } catch (error) {
    const { message, cause } = /** @type {Error} */ (error);
    return { ok: false, answer: cause instanceof Error ? `${message} (${cause.message})` : message };
  }
}

let missing = 0;
const files = pretrainedFiles();
const urls = files.flatMap(({ url, checksum }) =>
  checksum && 'pointerUrl' in checksum ? [url, checksum.pointerUrl] : [url],
);
for (const url of urls) {
  const { ok, answer } = await ask(url);
  if (!ok) missing++;
  console.log(`${ok ? 'there  ' : 'MISSING'} ${url} (${answer})`);
}
console.log(`${missing} missing`);
process.exitCode = missing > 0 ? 1 : 0;
