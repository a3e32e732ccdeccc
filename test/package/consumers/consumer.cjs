require('@tensorflow/tfjs-backend-cpu');
require('@tensorflow/tfjs-backend-wasm');
const tf = require('@tensorflow/tfjs-core');
const mobilenet = require('mobilenet-v1-ts');
const job = require('./job.cjs');

job(tf, mobilenet, process.argv[2]);
