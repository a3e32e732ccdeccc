import type { DataPlace } from '../shared/dataPlace';

/** What the command line says. */
export interface EvaluateOptions {
  model: string;
  data: DataPlace;
  flip?: boolean;
  flipAndShift?: boolean;
  limit?: number;
  threads?: number;
  json?: boolean;
}
