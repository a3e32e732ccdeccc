/** What a model can be written as. */
export const FORMATS = ['tfjs', 'onnx', 'keras', 'h5', 'safetensors', 'tflite'] as const;

export type Format = (typeof FORMATS)[number];

/** Smaller numbers that a format can hold. */
export const QUANTIZED: Readonly<Record<Format, readonly ('float16' | 'int8')[]>> = {
  tfjs: ['float16', 'int8'],
  onnx: ['float16', 'int8'],
  keras: [],
  h5: [],
  safetensors: [],
  tflite: ['float16'],
};

const EXTENSIONS: Readonly<Record<string, Format>> = {
  '.onnx': 'onnx',
  '.keras': 'keras',
  '.h5': 'h5',
  '.hdf5': 'h5',
  '.safetensors': 'safetensors',
  '.tflite': 'tflite',
};

/** The format that a file's name or address stands for; undefined where it looks like that of a file of another kind. */
export function formatOf(name: string): Format | undefined {
  const path = /^(https?|file):/i.test(name) && URL.canParse(name) ? new URL(name).pathname : name;
  const extension = /\.[a-z]\w*$/i.exec(path)?.[0].toLowerCase();
  return extension === undefined ? 'tfjs' : EXTENSIONS[extension];
}

/** Whether it is a file that holds weights, and of the network at most a description in terms of another framework. */
export function isWeightFile(name: string): boolean {
  const format = formatOf(name);
  return format !== undefined && format !== 'tfjs';
}
