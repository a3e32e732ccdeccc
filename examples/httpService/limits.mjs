/**
 * What a stranger may ask for.
 *
 * @typedef {object} Limits
 * @property {number} bytes of an upload
 * @property {number} pixels of a picture: a small file can hold a huge one
 * @property {number} uploads that are open at once; those beyond are refused. With `bytes` it bounds the memory.
 * @property {number} uploadMs within which an upload must be there
 * @property {number} answerMs within which it is answered then
 */

/** @type {Limits} */
export const LIMITS = {
  bytes: 10_000_000,
  pixels: 50_000_000,
  uploads: 256,
  uploadMs: 10_000,
  answerMs: 10_000,
};
