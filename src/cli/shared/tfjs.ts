/** Starts tfjs's plain backend, on which models are built; the library's engine does their work. */
export async function startTfjs(): Promise<void> {
  const { enableProdMode, setBackend } = await import('@tensorflow/tfjs-core');
  // Before the backend starts, which greets everyone in Node with eight lines.
  enableProdMode();
  await import('@tensorflow/tfjs-backend-cpu');
  await setBackend('cpu');
}
