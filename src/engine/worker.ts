// What a worker runs. scripts/buildWorker.mjs bundles it, and nothing else imports it.
import { createSession } from './session';
import { serveTeam, type WorkerPort } from './workerLoop';

/** Serves a team of the training engine on this worker's own port. */
export function serve(port: WorkerPort): void {
  serveTeam(port, createSession);
}
