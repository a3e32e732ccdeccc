import { createServer } from 'node:net';
import { startNpm } from './command.mjs';

/**
 * Starts a consumer's own server, an npm script that takes a port.
 *
 * @param {string} script
 * @param {string} folder
 */
export async function startOwnServer(script, folder) {
  const port = await freePort();
  const origin = `http://localhost:${port}`;
  const command = startNpm(['run', '--silent', script, '--', '--port', String(port)], folder);
  try {
    await answerOf(origin, command);
  } catch (error) {
    await command.end();
    throw error;
  }
  return { origin, close: () => command.end() };
}

/**
 * Waits until a server answers.
 *
 * @param {string} origin
 * @param {ReturnType<typeof startNpm>} command
 */
async function answerOf(origin, command) {
  let hasEnded = false;
  const end = () => {
    hasEnded = true;
  };
  command.ended.then(end, end);
  for (const deadline = Date.now() + 120_000; !hasEnded && Date.now() < deadline; ) {
    const answer = await fetch(origin).catch(() => undefined);
    await answer?.body?.cancel();
    if (answer?.ok) return;
    await new Promise((resolve) => setTimeout(resolve, 300));
  }
  throw new Error(`no answer at ${origin}\n${command.output}`);
}

/** A port that was free just now. */
async function freePort() {
  const server = createServer();
  await new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve(undefined)));
  const { port } = /** @type {import('node:net').AddressInfo} */ (server.address());
  await new Promise((resolve) => server.close(resolve));
  return port;
}
