// The service as a process of its own, with the model that comes with the package.
import type { ChildProcessWithoutNullStreams } from 'node:child_process';
import { once } from 'node:events';
import { connect } from 'node:net';
import sharp from 'sharp';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { drawnJpeg, drawnPng } from './drawnPictures';
import { formWith } from './formWith';
import { startExample } from './runExample';

const JPEG = { 'content-type': 'image/jpeg' };

/** The service on a port of its own, when it listens. */
async function startService(...args: string[]): Promise<[ChildProcessWithoutNullStreams, address: string]> {
  const started = startExample('httpService/server.mjs', ['--port', '0', '--log-level', 'warn', ...args]);
  const [text] = await once(started.stdout.setEncoding('utf8'), 'data');
  return [started, /^Classifies into 10 classes at (\S+)\n$/.exec(text)![1]!];
}

let service: ChildProcessWithoutNullStreams;
let address: string;
beforeAll(async () => {
  [service, address] = await startService();
});
afterAll(() => void service.kill('SIGKILL'));

const send = (body: BodyInit, headers?: Record<string, string>) =>
  fetch(`${address}?topK=3`, { method: 'POST', body, ...(headers && { headers }) });

test('twenty uploads at once get the answers that each gets alone', async () => {
  const pictures = await Promise.all(['ring', 'star'].flatMap((name) => [drawnJpeg(name), drawnPng(name, 1)]));
  const alone: unknown[] = [];
  for (const bytes of pictures) alone.push(await (await send(new Uint8Array(bytes), JPEG)).json());
  expect(alone).toMatchObject(Array(4).fill({ classes: Array(3).fill({ className: expect.any(String) }) }));

  const together = await Promise.all(
    Array.from({ length: 20 }, async (_, i) => {
      const bytes = pictures[i % 4]!;
      const response = await (i % 2 ? send(formWith(bytes)) : send(new Uint8Array(bytes), JPEG));
      return response.json();
    }),
  );
  expect(together).toEqual(Array.from({ length: 20 }, (_, i) => alone[i % 4]));
});

test('SIGTERM: what was taken is answered, and it ends with code 0', async () => {
  let stderr = '';
  service.stderr.setEncoding('utf8').on('data', (text) => {
    stderr += text;
  });
  // Large enough that decoding takes a while.
  const create = { width: 4000, height: 3000, channels: 3, background: 'red' } as const;
  const large = await sharp({ create }).jpeg().toBuffer();
  const open = Array.from({ length: 5 }, () => send(new Uint8Array(large), JPEG));
  const health = async () => (await fetch(new URL('/health', address))).json();
  await expect.poll(health, { interval: 5, timeout: 10_000 }).toMatchObject({ uploads: 5 });
  service.kill('SIGTERM');
  const exit = once(service, 'exit');
  for (const response of await Promise.all(open)) expect(response.status).toBe(200);
  expect(await exit).toEqual([0, null]);
  expect(stderr.replaceAll(/[\s\S]*={20,}\n/g, '').trim()).toBe('');
});

test('SIGTERM, while an upload has come to a stand: it ends when that would have taken too long, with code 0', async () => {
  const [stalled, place] = await startService('--upload-seconds', '1', '--answer-seconds', '1');
  const { hostname, port } = new URL(place);
  const socket = connect(Number(port), hostname);
  socket.on('error', () => {});
  socket.write('POST /classify HTTP/1.1\r\nhost: a\r\ncontent-type: image/jpeg\r\ncontent-length: 100\r\n\r\n1');
  const health = async () => (await fetch(new URL('/health', place))).json();
  await expect.poll(health, { interval: 5, timeout: 10_000 }).toMatchObject({ uploads: 1 });
  stalled.kill('SIGTERM');
  try {
    expect(await once(stalled, 'exit', { signal: AbortSignal.timeout(20_000) })).toEqual([0, null]);
  } finally {
    stalled.kill('SIGKILL');
    socket.destroy();
  }
});
