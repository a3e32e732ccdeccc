import '@tensorflow/tfjs-backend-cpu';
import { expect, test, vi } from 'vitest';
import { loadModel } from '../../src/io/loadModel';
import { saveModel } from '../../src/io/saveModel';
import { denseNet, expectFailure, weightBits } from './models';

vi.mock('#platform', () => import('../../src/platform/browser'));

test.each(['my-model', '/my-model', './my-model/model.json'])('in a browser the path %s is refused', async (path) => {
  await expectFailure(() => loadModel(path), 'file-system', path, 'indexeddb://');
});

test('in a browser a folder to save to is refused', async () => {
  const model = denseNet(2);
  await expectFailure(() => saveModel(model, 'my-model'), 'file-system', 'my-model', 'indexeddb://');
});

test('in a browser picked files load', async () => {
  const model = denseNet(2);
  const files: File[] = [];
  await saveModel(model, {
    save: async ({ weightSpecs, weightData, modelTopology }) => {
      const manifest = [{ paths: ['./mine.weights.bin'], weights: weightSpecs }];
      files.push(new File([JSON.stringify({ modelTopology, weightsManifest: manifest })], 'mine.json'));
      files.push(new File([weightData as ArrayBuffer], 'mine.weights.bin'));
      return { modelArtifactsInfo: { dateSaved: new Date(), modelTopologyType: 'JSON' } };
    },
  });
  expect(weightBits(await loadModel(files))).toEqual(weightBits(model));
});
