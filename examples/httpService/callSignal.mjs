import { Refusal } from './refusals.mjs';

/**
 * What ends the work on an answer that nobody waits for any longer. (Fastify has `request.signal` and `handlerTimeout`,
 * but with a body they end when that is read: https://github.com/fastify/fastify/pull/6725.)
 *
 * @param {import('node:http').ServerResponse} response
 * @param {number} timeoutMs
 */
export function callSignal(response, timeoutMs) {
  const controller = new AbortController();
  const late = () => controller.abort(new Refusal(503, `There was no answer within ${timeoutMs / 1000} s.`));
  const timer = setTimeout(late, timeoutMs);
  // The client went away, or has its answer.
  const onClose = () => {
    clearTimeout(timer);
    controller.abort(new Refusal(499, 'The client closed the connection.'));
  };
  if (response.destroyed) onClose();
  else response.once('close', onClose);
  return controller.signal;
}
