import '@tensorflow/tfjs-backend-wasm';
import { existsSync, readFileSync } from 'node:fs';
import { setBackend } from '@tensorflow/tfjs-core';
import { model as createModel, type LayersModel, type SymbolicTensor } from '@tensorflow/tfjs-layers';
import { PNG } from 'pngjs';
import { beforeAll, describe, expect, test } from 'vitest';
import { inMemoryDataset } from '../../src/data/imageDataset';
import { mapToRange } from '../../src/data/tensors';
import { type ExportOnnxOptions, exportOnnx } from '../../src/formats/exportOnnx';
import { loadModel } from '../../src/io/loadModel';
import { setModelMetadata } from '../../src/model/metadata';
import { runOnnx } from './onnxSessions';

// Weights by Google, photos and reference logits: none of it is part of the project.
const folder = '../shared/imagenet';
const missing = !existsSync(folder);
const reason = missing ? ` (skipped: no ${folder})` : '';
const names = ['basketball', 'burger', 'cat', 'coffee', 'daisy', 'elephants', 'pizza', 'turtle'];
const shape = [names.length, 224, 224, 3];

/** The photos' bytes, `[8,224,224,3]`. */
function readPhotos(): Uint8Array {
  const photos = names.map((name) => PNG.sync.read(readFileSync(`${folder}/photos/${name}.224.png`)).data);
  return Uint8Array.from(photos.flatMap((data) => [...data].filter((_, i) => i % 4 < 3)));
}

/** Ends in the logits `[N,1,1,1000]`. */
async function loadLogits(): Promise<LayersModel> {
  const whole = await loadModel(`${folder}/mobilenet_v1_0.25_224`);
  const outputs = whole.getLayer('conv_preds').output as SymbolicTensor;
  const model = createModel({ inputs: whole.inputs, outputs });
  setModelMetadata(model, { inputRange: [-1, 1] });
  return model;
}

describe.skipIf(missing)(`ImageNet weights, alpha 0.25, eight photos${reason}`, () => {
  let model: LayersModel;
  let photos: Uint8Array;
  let golden: number[][];

  beforeAll(async () => {
    await setBackend('wasm');
    model = await loadLogits();
    photos = readPhotos();
    const file = JSON.parse(readFileSync(`${folder}/golden_0.25_224.json`, 'utf8'));
    golden = names.map((name) => file[name].logits);
  });

  /** Differences from the reference's logits, and for how many photos the best class is its. */
  async function measure(options: ExportOnnxOptions) {
    const file = await exportOnnx(model, options);
    const pictures = options.embedPreprocessing ? photos : mapToRange(photos, [-1, 1], 3);
    const { data } = await runOnnx(file, pictures, shape);
    const differences = golden.flat().map((logit, i) => Math.abs(data[i]! - logit));
    const best = (logits: ArrayLike<number>) => Array.prototype.indexOf.call(logits, Math.max(...Array.from(logits)));
    const agree = golden.filter((logits, i) => best(logits) === best(data.subarray(1000 * i, 1000 * (i + 1))));
    const rms = Math.sqrt(differences.reduce((sum, value) => sum + value ** 2, 0) / differences.length);
    return { bytes: file.length, largest: Math.max(...differences), rms, agree: agree.length };
  }

  // The reference's logits have four decimals, so half of that is theirs.
  test.each([false, true])('float32 (bytes as input: %s): logits within 1e-4', async (embedPreprocessing) => {
    const { largest, agree } = await measure({ embedPreprocessing });
    expect(largest).toBeLessThan(1e-4);
    expect(agree).toBe(names.length);
  });

  test('float16: logits within 0.2, the same best class', async () => {
    const { bytes, largest, agree } = await measure({ precision: 'float16' });
    expect(bytes).toBeLessThan(1e6);
    expect(largest).toBeLessThan(0.2);
    expect(agree).toBe(names.length);
  });

  test.each([false, true])(
    'int8 (calibrated: %s): the same best class, logits within 0.8 on average',
    async (calibrated) => {
      const labels = new Int32Array(names.length);
      const classNames = ['any'];
      const dataset = inMemoryDataset({ images: photos, labels, height: 224, width: 224, channels: 3, classNames });
      const calibration = calibrated ? { calibration: dataset } : {};
      const { bytes, rms, agree } = await measure({ precision: 'int8', embedPreprocessing: true, ...calibration });
      expect(bytes).toBeLessThan(6e5);
      expect(rms).toBeLessThan(0.8);
      // The two best of one photo are 0.02 apart.
      expect(agree).toBeGreaterThanOrEqual(names.length - 1);
    },
  );
});
