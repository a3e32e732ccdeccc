// The service's answers, limits and end, with a classifier that can be held up.
import { once } from 'node:events';
import { request } from 'node:http';
import { crc32 } from 'node:zlib';
import type { FastifyInstance } from 'fastify';
import { type Classifier, MobilenetError } from 'mobilenet-v1-ts';
import sharp from 'sharp';
import { afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { createApp } from '../../examples/httpService/app.mjs';
import { drawnJpeg, drawnPng } from './drawnPictures';
import { formWith } from './formWith';
import { heldUp } from './heldUp';

const LIMITS = { bytes: 3000, pixels: 10_000, uploads: 2, uploadMs: 300, answerMs: 200 };
const CAT = [{ className: 'cat', classIndex: 0, probability: 1 }];
const JPEG = { 'content-type': 'image/jpeg' };

type Classify = Classifier['classify'];

let jpeg: Buffer;
let png: Buffer;
beforeAll(async () => {
  [jpeg, png] = [await drawnJpeg('star'), await drawnPng('star')];
});

describe('answers', () => {
  let app: FastifyInstance;
  let address: string;
  let classify: Classify;
  beforeEach(async () => {
    classify = async () => CAT;
    const classifier: Partial<Classifier> = {
      classNames: ['cat', 'dog'],
      classify: (...args) => classify(...args),
    };
    app = createApp(classifier as Classifier, { limits: LIMITS });
    address = await app.listen({ port: 0 });
  });
  afterEach(() => app.close());

  async function post(body: BodyInit, headers: Record<string, string> = {}, query = '') {
    const response = await fetch(`${address}/classify${query}`, { method: 'POST', headers, body });
    return { status: response.status, headers: response.headers, body: await response.json() };
  }

  test('a body and a form: the bytes as they came, and the number of classes', async () => {
    const calls: unknown[] = [];
    classify = async (image, options) => {
      calls.push(image, options?.topK);
      return CAT;
    };
    for (const answer of [await post(new Uint8Array(jpeg), JPEG, '?topK=2'), await post(formWith(png))]) {
      expect(answer).toMatchObject({ status: 200, body: { classes: CAT } });
    }
    expect(calls).toEqual([jpeg, 2, png, undefined]);
  });

  test.each([
    ['neither body nor form', 400, /holds no picture/, () => post(new Uint8Array(), JPEG)],
    ['a form without a file', 400, /holds no picture/, () => post(formWith())],
    [
      'a form that breaks off',
      400,
      /form cannot be read/,
      () => post('--x', { 'content-type': 'multipart/form-data; boundary=x' }),
    ],
    ['more classes than there are', 400, /topK must be <= 2/, () => post(new Uint8Array(jpeg), JPEG, '?topK=3')],
    ['a body that is too large', 413, /more than 3000 bytes/, () => post(new Uint8Array(3001), JPEG)],
    ['a file that is too large', 413, /more than 3000 bytes/, () => post(formWith(new Uint8Array(3001)))],
    ['JSON', 415, /Expected the picture's bytes/, () => post('{}', { 'content-type': 'application/json' })],
    ['a GIF that calls itself a JPEG', 415, /neither a JPEG nor a PNG/, () => post('GIF89a', JPEG)],
    ['a header that breaks off', 422, /header is broken/, () => post(new Uint8Array(png.subarray(0, 20)), JPEG)],
  ])('%s: %i', async (_name, status, message, send) => {
    const answer = await send();
    expect(answer.status).toBe(status);
    expect(answer.body).toEqual({
      statusCode: status,
      error: expect.any(String),
      message: expect.stringMatching(message),
    });
  });

  test('a small file of a huge picture is refused before it is decoded', async () => {
    classify = () => Promise.reject(new Error('It was decoded.'));
    const create = { width: 1000, height: 11, channels: 3, background: 'red' } as const;
    const huge = await sharp({ create }).png().toBuffer();
    // More pixels than sharp takes, unless it is told otherwise: the size in the header, and its checksum.
    const larger = Buffer.from(huge);
    larger.writeUInt32BE(20_000, 16);
    larger.writeUInt32BE(20_000, 20);
    larger.writeUInt32BE(crc32(larger.subarray(12, 29)), 29);
    for (const [bytes, size] of [
      [huge, '1000 x 11'],
      [larger, '20000 x 20000'],
    ] as const) {
      const { status, body } = await post(new Uint8Array(bytes), JPEG);
      expect(status).toBe(413);
      expect(body.message).toBe(`The picture has ${size} pixels, and at most 10000 are taken.`);
    }
  });

  test('a broken picture is its sender’s fault, a broken classifier ours', async () => {
    classify = () => Promise.reject(new MobilenetError('invalid-data', 'cut off'));
    expect(await post(new Uint8Array(jpeg), JPEG)).toMatchObject({ status: 422, body: { message: 'cut off' } });
    classify = () => Promise.reject(new MobilenetError('engine-failed', 'a secret'));
    expect(await post(new Uint8Array(jpeg), JPEG)).toMatchObject({
      status: 500,
      body: { message: 'The classifier failed.' },
    });
  });

  test('no answer in time: 503, and the call is given up', async () => {
    classify = heldUp(CAT);
    const { status, headers, body } = await post(new Uint8Array(jpeg), JPEG);
    expect(status).toBe(503);
    expect(headers.get('retry-after')).toBe('1');
    expect(body.message).toBe('There was no answer within 0.2 s.');
  });

  test('a client that goes away: the call is given up, and its place is free', async () => {
    const calls = heldUp(CAT);
    classify = calls;
    const leave = new AbortController();
    const gone = fetch(`${address}/classify`, {
      method: 'POST',
      headers: JPEG,
      body: new Uint8Array(jpeg),
      signal: leave.signal,
    });
    await calls.begun();
    expect(await health()).toMatchObject({ status: 'ok', uploads: 1 });
    leave.abort();
    await expect(gone).rejects.toThrow('aborted');
    expect(await calls.givenUp).toBe('The client closed the connection.');
    await expect.poll(health).toMatchObject({ uploads: 0 });
  });

  test('more than may be open at once are refused, unread', async () => {
    const calls = heldUp(CAT);
    classify = calls;
    const open = [post(new Uint8Array(jpeg), JPEG), post(formWith(jpeg))];
    await calls.begun(2);
    const { status, headers, body } = await post(new Uint8Array(5000), JPEG);
    expect(status).toBe(503);
    expect(headers.get('retry-after')).toBe('1');
    expect(body.message).toBe('2 uploads are open, and no more are taken.');
    calls.answer();
    expect((await Promise.all(open)).map((answer) => answer.status)).toEqual([200, 200]);
  });

  test('an upload that takes too long: 408', async () => {
    const headers = { ...JPEG, 'content-length': '100' };
    const slow = request(`${address}/classify`, { method: 'POST', headers });
    slow.write('x');
    const [response] = await once(slow, 'response');
    expect(response.statusCode).toBe(408);
  });

  test("uploads may take longer than Node's own five minutes", async () => {
    const patient = createApp({ classNames: ['cat'] } as Partial<Classifier> as Classifier, {
      limits: { ...LIMITS, uploadMs: 600_000 },
    });
    expect(patient.server).toMatchObject({ requestTimeout: 600_000, headersTimeout: 600_000 });
    await patient.close();
  });

  test('at the end what is open is answered, and its connection closed', async () => {
    const calls = heldUp(CAT);
    classify = calls;
    const open = post(new Uint8Array(jpeg), JPEG);
    await calls.begun();
    const closed = app.close();
    await expect.poll(() => app.server.listening).toBe(false);
    calls.answer();
    const { status, headers } = await open;
    expect(status).toBe(200);
    expect(headers.get('connection')).toBe('close');
    await closed;
    await expect(post(new Uint8Array(jpeg), JPEG)).rejects.toThrow('fetch failed');
  });

  const health = async () => (await fetch(`${address}/health`)).json();
});
