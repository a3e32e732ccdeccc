import { createClassifier } from 'mobilenet-v1-ts';
import { cifar10Classifier } from 'mobilenet-v1-ts/cifar10';

/**
 * One for the whole process: it has a thread for each processor, and calls queue up.
 *
 * @param {{ model: string, precision: 'float32' | 'int8', threads?: number }} options
 */
export function openClassifier({ model, ...options }) {
  return model === 'cifar10' ? cifar10Classifier({ alpha: 1, ...options }) : createClassifier(model, options);
}
