import '@tensorflow/tfjs-backend-cpu';
import * as mobilenet from 'mobilenet-v1-ts';
import * as trained from 'mobilenet-v1-ts/cifar10';
import { classifyTrained, job } from './shared/job.mjs';
import { show } from './shared/show.mjs';

show(async () => ({ ...(await job(mobilenet)), trained: await classifyTrained(mobilenet, trained) }));
