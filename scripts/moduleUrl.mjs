// import.meta.url of the CommonJS build (tsup.config.ts). Not tsup's own shim, which mistakes a # or % in a path.
const path = __filename.replaceAll('\\', '/');

export const moduleUrl = /* @__PURE__ */ new URL(`file://${path.split('/').map(encodeURIComponent).join('/')}`).href;
