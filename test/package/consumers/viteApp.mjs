import '@tensorflow/tfjs-backend-cpu';
import { cifar10Classifier, cifar10Models } from 'mobilenet-v1-ts/cifar10';

const picture = { data: Uint8Array.from({ length: 32 * 32 * 3 }, (_, i) => (i * 37) % 256), width: 32, height: 32 };

globalThis.classifyWithEach = async () => {
  const found = [];
  for (const { alpha } of cifar10Models) {
    const classifier = await cifar10Classifier({ alpha });
    found.push(await classifier.classify(picture, { topK: 10 }));
    await classifier.dispose();
  }
  return found;
};
