import '@tensorflow/tfjs-backend-cpu';
import * as mobilenet from 'mobilenet-v1-ts';
import * as trained from 'mobilenet-v1-ts/cifar10';
import { classifyTrained, job } from './shared/job.mjs';
import { show } from './shared/show.mjs';

const wasmFiles = {
  simd: new URL('mobilenet-v1-ts/wasm/simd.wasm', import.meta.url),
  'simd-shared': new URL('mobilenet-v1-ts/wasm/simd-shared.wasm', import.meta.url),
  'relaxed-simd': new URL('mobilenet-v1-ts/wasm/relaxed-simd.wasm', import.meta.url),
  'relaxed-simd-shared': new URL('mobilenet-v1-ts/wasm/relaxed-simd-shared.wasm', import.meta.url),
};

/** The policy forbids workers from blob: addresses; the error says what to do. */
async function refusal() {
  const error = await job(mobilenet).catch((reason) => reason);
  const isClear = error.code === 'engine-failed' && error.message.includes('configureEngine');
  if (!isClear) throw new Error(`not refused as it should be: ${error}`);
}

show(async () => {
  await refusal();
  mobilenet.configureEngine({
    createWorker: () => new Worker(new URL('mobilenet-v1-ts/worker', import.meta.url), { type: 'module' }),
    wasm: (flavour) => wasmFiles[flavour],
  });
  return { ...(await job(mobilenet)), trained: await classifyTrained(mobilenet, trained) };
});
