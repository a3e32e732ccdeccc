import type { PlacedFile } from './drop';

/**
 * The pictures of each class of a folder with one sub-folder for each, by the class's name: what lies deeper belongs to its
 * class, hidden files and what is no picture by its name are left out. Takes the sub-folders without their folder, too.
 */
export function classFolders(files: readonly PlacedFile[]): Map<string, File[]> {
  const placed = files.map(({ path, file }) => ({ names: path.split('/'), file }));
  const visible = placed.filter(({ names }) => !names.some((name) => name.startsWith('.') || name === '__MACOSX'));
  const pictures = visible.filter(({ names }) => /\.(jpe?g|png|webp|gif|bmp)$/i.test(names.at(-1)!));
  const [root] = pictures[0]?.names ?? [];
  const isShared = pictures.every(({ names }) => names.length > 2 && names[0] === root);
  const byClass = new Map<string, File[]>();
  for (const { names, file } of pictures) {
    const inside = isShared ? names.slice(1) : names;
    if (inside.length < 2) continue;
    const ofClass = byClass.get(inside[0]!) ?? [];
    byClass.set(inside[0]!, ofClass);
    ofClass.push(file);
  }
  return new Map([...byClass].sort(([a], [b]) => (a < b ? -1 : 1)));
}
