/**
 * The real thing: builds a network, trains it two steps on two threads of the engine, classifies with it, and writes a
 * format whose code is loaded on use. Whoever calls gives what was imported, in its own way.
 *
 * @param {Pick<typeof import('mobilenet-v1-ts'),
 *   'createClassifier' | 'exportOnnx' | 'mobilenetV1' | 'syntheticCifar10' | 'trainClassifier'>} library
 */
export async function job({ createClassifier, exportOnnx, mobilenetV1, syntheticCifar10, trainClassifier }) {
  const { train, test } = syntheticCifar10({ train: 32, test: 1, seed: 1 });
  // With batch norm's usual momentum, two steps would leave a network that sees next to nothing.
  const network = { alpha: 0.25, batchNormMomentum: 0.1, seed: 1 };
  const model = mobilenetV1({ ...network, classes: 10, inputShape: [32, 32, 3] });
  const onTwoThreads = /** @type {const} */ ({ engine: 'fused', threads: 2 });
  let steps = 0;
  const { history, threads } = await trainClassifier(model, train, {
    ...onTwoThreads,
    batchSize: 16,
    seed: 1,
    onBatch: ({ step }) => {
      steps = step;
    },
  });

  const classifier = await createClassifier(model, onTwoThreads);
  const [best] = await classifier.classify({ data: test.images, width: 32, height: 32 });
  const { threads: classifierThreads } = classifier.info;
  await classifier.dispose();
  const { length: onnxBytes } = await exportOnnx(model);
  return { steps, threads, classifierThreads, loss: history[0]?.loss, ...best, onnxBytes };
}

/**
 * What a model that comes with the package says of a picture.
 *
 * @param {Pick<typeof import('mobilenet-v1-ts'), 'syntheticCifar10'>} library
 * @param {{ cifar10Classifier(options: { url?: string }): Promise<import('mobilenet-v1-ts').Classifier> }} trained
 * @param {string} [url] Where its files are, if not beside the script.
 */
export async function classifyTrained({ syntheticCifar10 }, { cifar10Classifier }, url) {
  const { images } = syntheticCifar10({ train: 1, test: 1, seed: 3 }).test;
  const classifier = await cifar10Classifier(url === undefined ? {} : { url });
  const [best] = await classifier.classify({ data: images, width: 32, height: 32 });
  await classifier.dispose();
  return { ...best };
}
