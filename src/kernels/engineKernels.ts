/** The WebAssembly exports that the training engine runs on; pointers are byte offsets into its memory. */
export interface EngineKernels {}
