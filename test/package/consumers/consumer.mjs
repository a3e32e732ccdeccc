import '@tensorflow/tfjs-backend-cpu';
import '@tensorflow/tfjs-backend-wasm';
import * as tf from '@tensorflow/tfjs-core';
import * as mobilenet from 'mobilenet-v1-ts';
import job from './job.cjs';

await job(tf, mobilenet, process.argv[2]);
