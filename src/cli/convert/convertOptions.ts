import type { NetworkArguments } from '../shared/networkOptions';
import type { Format } from './formats';

/** What the command line says. */
export interface ConvertOptions extends NetworkArguments {
  source: string;
  target: string;
  format: Format;
  quantize?: 'float16' | 'int8';
  head?: 'load' | 'skip' | 'dropBackground';
  labels?: string;
  json?: boolean;
}
