import { MobilenetError } from 'mobilenet-v1-ts';

/** What a client did wrong, or why it is not served. */
export class Refusal extends Error {
  /**
   * @param {number} statusCode
   * @param {string} message
   */
  constructor(statusCode, message) {
    super(message);
    this.statusCode = statusCode;
  }
}

/** What a client is told about Fastify's errors, by their codes. */
const MESSAGES = {
  FST_ERR_CTP_BODY_TOO_LARGE: tooLarge,
  FST_REQ_FILE_TOO_LARGE: tooLarge,
  FST_ERR_CTP_INVALID_MEDIA_TYPE: () =>
    "Expected the picture's bytes as image/jpeg, image/png or application/octet-stream, or a form with it (multipart/form-data).",
};

/**
 * What a client is told of an error: its own faults in words, and nothing about ours.
 *
 * @param {Error & { code?: string, statusCode?: number }} error
 * @param {import('./limits.mjs').Limits} limits
 */
export function refusalOf(error, limits) {
  if (error instanceof Refusal) return error;
  if (error instanceof MobilenetError && error.code === 'invalid-data') return new Refusal(422, error.message);
  const { statusCode = 500, code = '' } = error;
  if (statusCode >= 500) return new Refusal(500, 'The classifier failed.');
  const message = Object.entries(MESSAGES).find(([known]) => known === code)?.[1];
  return new Refusal(statusCode, message?.(limits) ?? error.message);
}

/** @param {import('./limits.mjs').Limits} limits */
function tooLarge({ bytes }) {
  return `The upload has more than ${bytes} bytes.`;
}
