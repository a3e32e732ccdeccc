import { Worker } from 'node:worker_threads';
import '@tensorflow/tfjs-backend-cpu';
import * as mobilenet from 'mobilenet-v1-ts';
import job from './workerJob.cjs';

const resolve = (file) => new URL(import.meta.resolve(`mobilenet-v1-ts/${file}`));
await job(mobilenet, () => new Worker(resolve('worker')), resolve);
