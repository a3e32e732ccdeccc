// A worker of one piece, Vite's default, cannot have parts that are loaded on use.
export default { worker: { format: 'es' } };
