// Packages that bench/peers.mjs fetches: not there where types are checked.
declare module '@litertjs/core';
declare module '@tensorflow/tfjs-converter';
declare module 'onnxruntime-web/wasm';
