// A service that classifies uploaded pictures:
//
//   node examples/httpService/server.mjs
//   curl --form picture=@cat.jpg 'http://127.0.0.1:3000/classify?topK=3'
//   curl --data-binary @cat.jpg --header 'content-type: image/jpeg' http://127.0.0.1:3000/classify
//
// It stops on SIGTERM or Ctrl-C: what is in work is finished, nothing new is taken, and the process ends with code 0,
// at the latest when an upload and its answer would have taken too long.
//
// Outside of this repository:
//   npm install mobilenet-v1-ts @tensorflow/tfjs-core @tensorflow/tfjs-layers @tensorflow/tfjs-backend-cpu \
//     fastify @fastify/multipart sharp commander
//   node server.mjs
import '@tensorflow/tfjs-backend-cpu';
import { MobilenetError } from 'mobilenet-v1-ts';
import { createApp } from './app.mjs';
import { openClassifier } from './classifier.mjs';
import { parseOptions } from './options.mjs';

const SIGNALS = ['SIGTERM', 'SIGINT'];

try {
  await main();
} catch (error) {
  if (!(error instanceof MobilenetError || isPortError(error))) throw error;
  console.error(error.message);
  process.exitCode = 1;
}

async function main() {
  const { host, port, logLevel, limits, ...running } = parseOptions(process.argv.slice(2));
  const classifier = await openClassifier(running);
  const app = createApp(classifier, { limits, logger: { level: logLevel } });
  app.addHook('onClose', () => classifier.dispose());
  try {
    const address = await app.listen({ host, port });
    console.log(`Classifies into ${classifier.classNames.length} classes at ${address}/classify`);
  } catch (error) {
    await app.close();
    throw error;
  }
  const stop = () => {
    // A second signal, whichever it is, ends the process at once.
    for (const signal of SIGNALS) process.off(signal, stop);
    app.close();
    // Node looks for uploads that have come to a stand no more once it closes.
    setTimeout(() => app.server.closeAllConnections(), limits.uploadMs + limits.answerMs).unref();
  };
  for (const signal of SIGNALS) process.on(signal, stop);
}

/**
 * @param {unknown} error
 * @returns {error is NodeJS.ErrnoException}
 */
function isPortError(error) {
  return error instanceof Error && 'syscall' in error && error.syscall === 'listen';
}
