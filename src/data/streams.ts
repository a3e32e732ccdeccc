/**
 * What `createRandom(seed, stream, ...)` draws for: each use has a stream of its own, so that none changes another.
 *
 * Always followed by at least one more number: the order of an epoch is the stream `(seed, epoch)`, of one number.
 */
export const DROPOUT_STREAM = 1;
export const AUGMENT_STREAM = 2;
export const MIX_STREAM = 3;
export const SPLIT_STREAM = 4;
