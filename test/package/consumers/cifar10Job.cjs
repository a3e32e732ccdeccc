// Classifies a picture of CIFAR-10's size with each trained model, and is refused a width that there is not. Prints one
// JSON line.
module.exports = async function job({ MobilenetError, syntheticCifar10 }, { cifar10Classifier, cifar10Models }) {
  const picture = { data: syntheticCifar10({ train: 1, test: 1, seed: 3 }).test.images, width: 32, height: 32 };
  const found = {};
  for (const { alpha } of cifar10Models) {
    const classifier = await cifar10Classifier({ alpha, threads: 1 });
    found[alpha] = await classifier.classify(picture, { topK: 10 });
    await classifier.dispose();
  }
  const refusal = await cifar10Classifier({ alpha: 0.75 }).catch((error) => error);
  console.log(JSON.stringify({ found, sameErrorClass: refusal instanceof MobilenetError, code: refusal.code }));
};
