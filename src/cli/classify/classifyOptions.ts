/** What the command line says. */
export interface ClassifyOptions {
  model: string;
  pictures: readonly string[];
  topK: number;
  precision: 'float32' | 'int8';
  threads?: number;
  json?: boolean;
}
