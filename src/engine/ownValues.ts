/** A view would be posted with all of the buffer that it looks at, which may be a whole dataset. */
export function ownValues<T extends Uint8Array | Int32Array | Float32Array>(view: T): T {
  if (view.byteLength === view.buffer.byteLength) return view;
  // The slice of a Buffer of Node would be a view again.
  return (view instanceof Uint8Array ? new Uint8Array(view) : view.slice()) as T;
}
