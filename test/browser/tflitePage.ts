// What runs in the page: a TFLite file, by LiteRT.js.
import { loadAndCompile, loadLiteRt, Tensor } from '@litertjs/core';

/** @param wasm the address of the folder of LiteRT's own WebAssembly files */
async function start(wasm: string): Promise<void> {
  await loadLiteRt(wasm, { threads: false });
}

/** The outputs for pictures, by the names of the file's signature; of a file in base64. */
async function run(file: string, pictures: number[], shape: number[]) {
  const bytes = Uint8Array.from(atob(file), (character) => character.charCodeAt(0));
  const model = await loadAndCompile(bytes, { accelerator: 'wasm' });
  const input = new Tensor(Float32Array.from(pictures), shape);
  const names = [model.getInputDetails(), model.getOutputDetails()].map(([details]) => details!.name);
  const [output] = await model.run([input]);
  const values = Array.from(output!.toTypedArray(), Number);
  input.delete();
  output!.delete();
  model.delete();
  return { names, values };
}

const tflite = { start, run };
export type TflitePage = typeof tflite;
Object.assign(window, { tflite });
