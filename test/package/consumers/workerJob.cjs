// Trains in the engine with the worker and the wasm that are inlined, and then with the package's files. Prints one JSON line.
module.exports = async function job(mobilenet, createWorker, resolve) {
  const train = async () => {
    const { train } = mobilenet.syntheticCifar10({ train: 16, test: 1, seed: 1 });
    const model = mobilenet.mobilenetV1({ classes: 10, inputShape: [32, 32, 3], alpha: 0.25, seed: 1 });
    const options = { threads: 2, batchSize: 8, seed: 1 };
    const { history, engine, threads, module } = await mobilenet.trainClassifier(model, train, options);
    return { engine, threads, module, loss: history[0].loss };
  };
  const inlined = await train();
  let workers = 0;
  const flavours = [];
  mobilenet.configureEngine({
    createWorker: () => {
      workers += 1;
      return createWorker();
    },
    wasm: (flavour) => {
      flavours.push(flavour);
      return resolve(`wasm/${flavour}.wasm`);
    },
  });
  const own = await train();
  console.log(JSON.stringify({ inlined, own, workers, flavours }));
};
