/** What the command line says. */
export interface BenchOptions {
  alpha: number;
  size?: number;
  seconds: number;
  threads?: number;
  json?: boolean;
}
