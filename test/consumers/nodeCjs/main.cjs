require('@tensorflow/tfjs-backend-cpu');
const mobilenet = require('mobilenet-v1-ts');
const trained = require('mobilenet-v1-ts/cifar10');

async function main() {
  const { classifyTrained, job } = await import('./shared/job.mjs');
  const result = { ...(await job(mobilenet)), trained: await classifyTrained(mobilenet, trained) };
  console.log(JSON.stringify(result));
}

main();
