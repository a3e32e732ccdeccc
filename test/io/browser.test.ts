import '@tensorflow/tfjs-backend-cpu';
import { expect, test, vi } from 'vitest';
import { loadModel } from '../../src/io/loadModel';
import { saveModel } from '../../src/io/saveModel';
import { denseNet, expectFailure, weightBits } from './models';

vi.mock('#platform', () => import('../../src/platform/browser'));

test.each(['my-model', '/my-model'])('in a browser the folder %s is refused', async (path) => {
  await expectFailure(() => loadModel(path), 'file-system', path, 'indexeddb://');
});

test.each([
  ['/my-model/model.json?v=2', 'https://example.com/my-model/model.json?v=2'],
  ['my-model/model.json', 'https://example.com/app/my-model/model.json'],
])('in a browser %s is an address from the page on', async (place, expected) => {
  vi.stubGlobal('location', { href: 'https://example.com/app/page.html' });
  const model = denseNet(2);
  const files = new Map<string, BodyInit>();
  await saveModel(model, {
    save: async ({ weightSpecs, weightData, modelTopology }) => {
      const manifest = [{ paths: ['weights.bin'], weights: weightSpecs }];
      files.set('model.json', JSON.stringify({ modelTopology, weightsManifest: manifest }));
      files.set('weights.bin', weightData as ArrayBuffer);
      return { modelArtifactsInfo: { dateSaved: new Date(), modelTopologyType: 'JSON' } };
    },
  });
  const asked: string[] = [];
  const fetch = async (address: string | URL | Request) => {
    asked.push(String(address));
    return new Response(files.get(new URL(String(address)).pathname.split('/').at(-1)!));
  };
  expect(weightBits(await loadModel(place, { fetch }))).toEqual(weightBits(model));
  expect(asked).toEqual([expected, expected.replace('model.json', 'weights.bin')]);
  vi.unstubAllGlobals();
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
      // As Teachable Machine gives them, in the order of their names.
      files.push(new File(['{}'], 'metadata.json'));
      files.push(new File([JSON.stringify({ modelTopology, weightsManifest: manifest })], 'model.json'));
      files.push(new File([weightData as ArrayBuffer], 'mine.weights.bin'));
      return { modelArtifactsInfo: { dateSaved: new Date(), modelTopologyType: 'JSON' } };
    },
  });
  expect(weightBits(await loadModel(files))).toEqual(weightBits(model));
});
