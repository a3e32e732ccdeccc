require('@tensorflow/tfjs-backend-cpu');
const mobilenet = require('mobilenet-v1-ts');
const cifar10 = require('mobilenet-v1-ts/cifar10');
const job = require('./cifar10Job.cjs');

job(mobilenet, cifar10);
