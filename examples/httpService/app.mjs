import { STATUS_CODES } from 'node:http';
import multipart from '@fastify/multipart';
import Fastify from 'fastify';
import { callSignal } from './callSignal.mjs';
import { LIMITS } from './limits.mjs';
import { Refusal, refusalOf } from './refusals.mjs';
import { checkPicture, readUpload } from './upload.mjs';

/** How often Node looks for uploads that take too long; its own 30 s are longer than the limit. */
const CHECK_MS = 1000;

/** How long a connection may be idle. */
const KEEP_ALIVE_MS = 5000;

/** The schema of an answer, by which it is written faster than by JSON.stringify. */
const ANSWER = {
  type: 'object',
  properties: {
    classes: {
      type: 'array',
      items: {
        type: 'object',
        properties: {
          className: { type: 'string' },
          classIndex: { type: 'integer' },
          probability: { type: 'number' },
        },
      },
    },
  },
};

/**
 * The service without its port, as tests need it. The classifier stays the caller's.
 *
 * @param {import('mobilenet-v1-ts').Classifier} classifier
 * @param {{ limits?: import('./limits.mjs').Limits, logger?: false | { level: string } }} [options]
 */
export function createApp(classifier, { limits = LIMITS, logger = false } = {}) {
  const app = Fastify({
    bodyLimit: limits.bytes,
    keepAliveTimeout: KEEP_ALIVE_MS,
    requestTimeout: limits.uploadMs,
    http: {
      requestTimeout: limits.uploadMs,
      headersTimeout: limits.uploadMs,
      connectionsCheckingInterval: CHECK_MS,
    },
    logger,
  });
  app.register(multipart, { limits: { fileSize: limits.bytes, files: 1, fields: 10, fieldSize: 1000 } });
  app.removeContentTypeParser(['application/json', 'text/plain']);
  app.addContentTypeParser(/^(image\/|application\/octet-stream)/, { parseAs: 'buffer' }, (_request, body, done) =>
    done(null, body),
  );
  app.setErrorHandler((/** @type {Error} */ error, request, reply) => {
    const { statusCode, message } = refusalOf(error, limits);
    if (statusCode === 500) request.log.error(error);
    if (statusCode === 503) reply.header('retry-after', '1');
    reply.code(statusCode).send({ statusCode, error: STATUS_CODES[statusCode], message });
  });
  closeConnectionsAtEnd(app);

  let uploads = 0;
  const topK = { type: 'integer', minimum: 1, maximum: classifier.classNames.length };
  app.post('/classify', {
    schema: { querystring: { type: 'object', properties: { topK } }, response: { 200: ANSWER } },
    // Before a byte of the upload is read.
    async onRequest(_request, reply) {
      if (uploads >= limits.uploads) throw new Refusal(503, `${uploads} uploads are open, and no more are taken.`);
      uploads++;
      reply.raw.once('close', () => uploads--);
    },
    async handler(request, reply) {
      const { topK } = /** @type {{ topK?: number }} */ (request.query);
      const picture = await readUpload(request);
      await checkPicture(picture, limits.pixels);
      const signal = callSignal(reply.raw, limits.answerMs);
      return { classes: await classifier.classify(picture, { topK, signal }) };
    },
  });

  app.get('/health', async () => ({
    status: 'ok',
    uploads,
    megabytes: Math.round(process.memoryUsage.rss() / 2 ** 20),
    classifier: classifier.info,
  }));
  return app;
}

/**
 * A connection that is kept alive beyond its last answer would hold up the end.
 *
 * @param {import('fastify').FastifyInstance} app
 */
function closeConnectionsAtEnd(app) {
  let ending = false;
  app.addHook('preClose', async () => {
    ending = true;
  });
  app.addHook('onSend', async (_request, reply) => {
    if (ending) reply.header('connection', 'close');
  });
}
