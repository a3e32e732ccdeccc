/**
 * Counts from now on what WebAssembly memories are made on this thread; memories that several threads share are among
 * them, as it is the main thread that makes those of the peers.
 *
 * @returns {() => number} megabytes of all of them, as large as they are by then
 */
export function trackWasmMemories() {
  /** @type {Set<WebAssembly.Memory>} */
  const memories = new Set();
  const { Memory } = WebAssembly;
  WebAssembly.Memory = new Proxy(Memory, {
    construct(target, args) {
      const memory = Reflect.construct(target, args);
      memories.add(memory);
      return memory;
    },
  });
  for (const name of /** @type {const} */ (['instantiate', 'instantiateStreaming'])) {
    /** @type {(...args: any[]) => Promise<any>} */
    const original = WebAssembly[name];
    WebAssembly[name] = async (/** @type {any[]} */ ...args) => {
      const result = await original.apply(WebAssembly, args);
      const { exports } = result.instance ?? result;
      for (const value of Object.values(exports)) if (value instanceof Memory) memories.add(value);
      return result;
    };
  }
  return () => [...memories].reduce((sum, { buffer }) => sum + buffer.byteLength, 0) / 1e6;
}
