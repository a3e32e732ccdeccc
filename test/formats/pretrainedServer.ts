import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** Answers a request in another way than with the file; where it returns false, the file is sent. */
export type Answer = (request: IncomingMessage, response: ServerResponse) => boolean;

/**
 * A web server on this machine that stands for all public ones: `fetch` takes every request to it, under the same path.
 */
export async function startPretrainedServer() {
  const files = new Map<string, Uint8Array>();
  const requests: string[] = [];
  const state: { answer: Answer } = { answer: () => false };
  const server = createServer((request, response) => {
    const path = request.url!.split('?')[0]!;
    requests.push(path);
    if (state.answer(request, response)) return;
    const file = files.get(path);
    if (file === undefined) response.writeHead(404).end('<html>not here</html>');
    else response.setHeader('content-length', file.length).end(file);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const origin = `http://127.0.0.1:${port}`;
  const fetch: typeof globalThis.fetch = (input, init) => {
    const { pathname, search } = new URL(String(input));
    return globalThis.fetch(`${origin}${pathname}${search}`, init);
  };
  return {
    origin,
    /** By path. */
    files,
    /** Paths, in the order in which they were asked for. */
    requests,
    state,
    fetch,
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

export type PretrainedServer = Awaited<ReturnType<typeof startPretrainedServer>>;
