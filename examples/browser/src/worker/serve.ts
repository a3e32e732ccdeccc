import type { WorkerAnswer, WorkerCall, WorkerEvents, WorkerMethods } from '../protocol';

/** The worker's own end; TypeScript's library for pages does not know it. */
const port = self as unknown as MessagePort;

/** Answers the page's calls by these methods. */
export function serve(methods: WorkerMethods): void {
  port.addEventListener('message', async ({ data: { id, method, args } }: MessageEvent<WorkerCall>) => {
    port.postMessage(await answer(id, () => (methods[method] as (...args: unknown[]) => unknown)(...args)));
  });
}

/** Tells the page something of the worker's own accord. */
export function emit<Name extends keyof WorkerEvents>(event: Name, detail: WorkerEvents[Name]): void {
  port.postMessage({ event, detail });
}

async function answer(id: number, method: () => unknown): Promise<WorkerAnswer> {
  try {
    return { id, result: await method() };
  } catch (error) {
    const { message, code } = error as Error & { code?: unknown };
    return { id, error: { message, code: typeof code === 'string' ? code : undefined } };
  }
}
