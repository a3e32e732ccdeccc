import '@tensorflow/tfjs-backend-cpu';
import * as mobilenet from 'mobilenet-v1-ts';
import * as cifar10 from 'mobilenet-v1-ts/cifar10';
import job from './cifar10Job.cjs';

await job(mobilenet, cifar10);
