/** The path of something in a folder; of any operating system, and for `file:` URLs too. */
export function joinPath(folder: string, name: string): string {
  return `${folder.replace(/[\\/]+$/, '')}/${name}`;
}

/** The folder that something lies in, and its name. */
export function splitPath(path: string): [folder: string, name: string] {
  const [, folder, name] = /^(?:(.*)[\\/])?([^\\/]*)[\\/]*$/.exec(path) ?? [];
  return [folder === undefined ? '.' : folder || '/', name ?? ''];
}
