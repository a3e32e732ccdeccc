import '@tensorflow/tfjs-backend-cpu';
import * as mobilenet from 'mobilenet-v1-ts';
import * as trained from 'mobilenet-v1-ts/cifar10';
import { classifyTrained, job } from './shared/job.mjs';
import { show } from './shared/show.mjs';

// The development server bundles packages anew, and leaves the model's files where they are.
const url = import.meta.env.DEV ? '/node_modules/mobilenet-v1-ts/dist/cifar10' : undefined;

show(async () => ({ ...(await job(mobilenet)), trained: await classifyTrained(mobilenet, trained, url) }));
