// The real thing through the public API, for whoever loads the package: builds, trains, evaluates, saves, loads, predicts,
// and is refused where it should be. Prints one JSON line.
module.exports = async function job(tf, mobilenet, folder) {
  const { mkdtempSync, writeFileSync } = require('node:fs');
  const { join } = require('node:path');
  const { gzipSync } = require('node:zlib');
  const isRegistered = () => tf.getKernel('Conv2DBackpropFilter', 'wasm') !== undefined;
  const registeredOnImport = isRegistered();
  await tf.setBackend('wasm');
  const { train, test } = mobilenet.syntheticCifar10({ train: 32, test: 8, seed: 1 });
  const model = mobilenet.mobilenetV1({ classes: 10, inputShape: [32, 32, 3], alpha: 0.25, seed: 1 });
  const { history, backend } = await mobilenet.trainClassifier(model, train, {
    engine: 'tfjs',
    batchSize: 16,
    validation: test,
    seed: 1,
  });
  const registeredByTraining = isRegistered();
  const target = mkdtempSync(join(folder, 'model-'));
  await mobilenet.saveModel(model, target);
  const loaded = await mobilenet.loadModel(target);
  const pictures = tf.randomUniform([4, 32, 32, 3], 0, 1, 'float32', 1);
  const [before, after] = [model, loaded].map((each) => Array.from(each.predict(pictures).dataSync()));
  const evaluation = await mobilenet.evaluateClassifier(loaded, test);
  const archive = join(folder, 'not-cifar.tar.gz');
  writeFileSync(archive, gzipSync(Buffer.alloc(1024)));
  const notFound = async () => new Response(null, { status: 404 });
  const refusals = [];
  for (const refused of [
    () => mobilenet.loadCifar10({ source: join(folder, 'missing') }),
    () => mobilenet.loadCifar10({ source: archive }),
    // Looks into the system's cache folder on its way.
    () => mobilenet.loadCifar10({ source: 'https://cifar.invalid/missing.tar.gz', fetch: notFound }),
    // The file system's own refusal: it comes from the build's other half, and must be the same class.
    () => mobilenet.saveModel(model, join(archive, 'model')),
  ]) {
    await refused().catch((error) => {
      refusals.push(error instanceof mobilenet.MobilenetError ? error.code : `another class: ${error}`);
    });
  }
  const { classNames } = mobilenet.getModelMetadata(loaded);
  const result = {
    registeredOnImport,
    registeredByTraining,
    backend,
    loss: history[0].loss,
    valLoss: history[0].valLoss,
  };
  console.log(JSON.stringify({ ...result, testLoss: evaluation.loss, before, after, classNames, refusals }));
};
