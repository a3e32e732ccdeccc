import { once } from 'node:events';
import { request } from 'node:http';

const BOUNDARY = 'a-boundary-of-forms';

/**
 * Uploads pictures again and again, as bodies and as forms in turn, and counts what comes back.
 *
 * @param {Buffer[]} pictures
 * @param {{ address: string, agent: import('node:http').Agent }} service
 */
export function uploadsOf(pictures, { address, agent }) {
  const kinds = pictures.flatMap((picture) => [asBody(picture), asForm(picture)]);
  /** @type {number[]} */
  const milliseconds = [];
  /** @type {Record<string, number>} how often each came */
  const errors = {};

  /** @param {ReturnType<typeof asBody>} kind */
  async function upload({ body, type }) {
    const begin = performance.now();
    const headers = { 'content-type': type, 'content-length': body.length };
    const { status, text } = await send(request(address, { method: 'POST', agent, headers }), body);
    if (status !== 200 || JSON.parse(text).classes?.length !== 5) throw new Error(`${status} ${text}`);
    milliseconds.push(performance.now() - begin);
  }

  return {
    /**
     * One after the other until the signal; what is under way then is waited for.
     *
     * @param {number} start which one is the first
     * @param {AbortSignal} stop
     */
    async repeat(start, stop) {
      for (let i = start; !stop.aborted; i++) {
        const kind = kinds[i % kinds.length];
        if (kind) await upload(kind).catch(({ message }) => (errors[message] = (errors[message] ?? 0) + 1));
      }
    },

    answered: () => milliseconds.length,

    /** @returns {Promise<{ megabytes: number, uploads: number }>} */
    async health() {
      return JSON.parse((await send(request(new URL('/health', address), { agent }))).text);
    },

    result() {
      const sorted = milliseconds.toSorted((a, b) => a - b);
      const quantile = (/** @type {number} */ q) =>
        Math.round(sorted[Math.floor(q * (sorted.length - 1))] ?? Number.NaN);
      return { answered: sorted.length, errors, quantile };
    },
  };
}

/** @param {Buffer} picture */
function asBody(picture) {
  return { body: picture, type: 'application/octet-stream' };
}

/** @param {Buffer} picture */
function asForm(picture) {
  const head = `--${BOUNDARY}\r\nContent-Disposition: form-data; name="picture"; filename="a.jpg"\r\n\r\n`;
  const body = Buffer.concat([Buffer.from(head), picture, Buffer.from(`\r\n--${BOUNDARY}--\r\n`)]);
  return { body, type: `multipart/form-data; boundary=${BOUNDARY}` };
}

/**
 * @param {import('node:http').ClientRequest} client
 * @param {Buffer} [body]
 */
async function send(client, body) {
  // A refusal may come before the body is written; what the socket says of that afterwards is nobody's.
  client.on('error', () => {});
  client.end(body);
  const [response] = await once(client, 'response');
  let text = '';
  for await (const chunk of response.setEncoding('utf8')) text += chunk;
  return { status: response.statusCode, text };
}
