const { Worker } = require('node:worker_threads');
require('@tensorflow/tfjs-backend-cpu');
const mobilenet = require('mobilenet-v1-ts');
const job = require('./workerJob.cjs');

const resolve = (file) => require.resolve(`mobilenet-v1-ts/${file}`);
job(mobilenet, () => new Worker(resolve('worker')), resolve);
