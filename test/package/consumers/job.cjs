// The real thing through the public API, for whoever loads the package: builds, trains, evaluates, saves, loads, predicts,
// and is refused where it should be. Prints one JSON line.
module.exports = async function job(tf, mobilenet, folder) {
  const { mkdtempSync, writeFileSync } = require('node:fs');
  const { join } = require('node:path');
  const { gzipSync } = require('node:zlib');
  const registeredOnImport = tf.getKernel('Conv2DBackpropFilter', 'wasm') !== undefined;
  await tf.setBackend('wasm');
  const { train, test } = mobilenet.syntheticCifar10({ train: 32, test: 8, seed: 1 });
  const model = mobilenet.mobilenetV1({ classes: 10, inputShape: [32, 32, 3], alpha: 0.25, seed: 1 });
  const { history, backend } = await mobilenet.trainClassifier(model, train, {
    batchSize: 16,
    validation: test,
    seed: 1,
  });
  const target = mkdtempSync(join(folder, 'model-'));
  await mobilenet.saveModel(model, target);
  const loaded = await mobilenet.loadModel(target);
  const before = await mobilenet.evaluateClassifier(model, test);
  const after = await mobilenet.evaluateClassifier(loaded, test);
  const refusals = [];
  const archive = join(folder, 'not-cifar.tar.gz');
  writeFileSync(archive, gzipSync(Buffer.alloc(1024)));
  for (const source of [join(folder, 'missing'), archive]) {
    await mobilenet.loadCifar10({ source }).catch((error) => {
      refusals.push(error instanceof mobilenet.MobilenetError && error.code);
    });
  }
  const { classNames } = mobilenet.getModelMetadata(loaded);
  const sameLoss = before.loss === after.loss;
  console.log(JSON.stringify({ registeredOnImport, backend, loss: history[0].loss, sameLoss, classNames, refusals }));
};
