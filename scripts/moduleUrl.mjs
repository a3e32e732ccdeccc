// import.meta.url of the CommonJS build (tsup.config.ts). Not tsup's own shim, which mistakes a # or % in a path.

/** @param {string} path */
function fileUrl(path) {
  const encoded = path.replaceAll('\\', '/').split('/').map(encodeURIComponent).join('/');
  // Drives of Windows, C:/app, and what lies on another machine, //server/app.
  const rooted = encoded.replace(/^([A-Za-z])%3A/, '/$1:');
  return new URL(rooted.startsWith('//') ? `file:${rooted}` : `file://${rooted}`).href;
}

export const moduleUrl = /* @__PURE__ */ fileUrl(__filename);
