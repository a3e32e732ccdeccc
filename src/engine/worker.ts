// What a worker runs. scripts/buildWorker.mjs bundles it, and nothing else imports it.
import { createInferenceSession, type InferenceInit } from './inference/session';
import { createSession, type SessionInit } from './session';
import { type CreateSession, serveTeam, type WorkerPort } from './workerLoop';

/** Serves a team of the engine, for training or for inference, on this worker's own port. */
export function serve(port: WorkerPort): void {
  const create: CreateSession<SessionInit | InferenceInit, never> = (environment, init) =>
    init.kind === 'training' ? createSession(environment, init) : createInferenceSession(environment, init);
  serveTeam(port, create);
}
