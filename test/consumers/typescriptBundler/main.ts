import '@tensorflow/tfjs-backend-cpu';
import type { Classification, MobilenetV1Options, TrainClassifierOptions } from 'mobilenet-v1-ts';
import * as mobilenet from 'mobilenet-v1-ts';
import * as trained from 'mobilenet-v1-ts/cifar10';
import { classifyTrained, job } from './shared/job.mjs';

const network: MobilenetV1Options = { padding: 'keras', alpha: 0.5 };
const training: TrainClassifierOptions = { optimizer: { name: 'sgd', momentum: 0.9 } };
// @ts-expect-error: there is no such padding
network.padding = 'full';
// @ts-expect-error: there is no such optimizer
training.optimizer = 'lion';

const best: Partial<Classification> = await classifyTrained(mobilenet, trained);
const result = { ...(await job(mobilenet)), trained: best };
console.log(JSON.stringify(result));
