import type { NetworkArguments } from '../shared/networkOptions';

/** What the command line says. */
export interface SummaryOptions extends NetworkArguments {
  model: string | undefined;
  json?: boolean;
}
