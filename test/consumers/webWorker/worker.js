// The app's own worker, from which the engine starts its threads.
import '@tensorflow/tfjs-backend-cpu';
import * as mobilenet from 'mobilenet-v1-ts';
import * as trained from 'mobilenet-v1-ts/cifar10';
import { classifyTrained, job } from './shared/job.mjs';

async function work() {
  return { ...(await job(mobilenet)), trained: await classifyTrained(mobilenet, trained) };
}

work().then(
  (result) => postMessage({ result }),
  (error) => postMessage({ error }),
);
