/** A file and its place in the folder that it was dropped with, '/' between names. */
export interface PlacedFile {
  path: string;
  file: File;
}

/** Lets files and folders be dropped on an element; `use` gets all files in them. */
export function onDrop(place: HTMLElement, use: (files: PlacedFile[]) => void): void {
  const highlight = (on: boolean) => place.classList.toggle('over', on);
  place.addEventListener('dragover', (event) => {
    event.preventDefault();
    highlight(true);
  });
  place.addEventListener('dragleave', () => highlight(false));
  place.addEventListener('drop', async (event) => {
    event.preventDefault();
    event.stopPropagation();
    highlight(false);
    const files = await droppedFiles(event.dataTransfer!);
    if (files.length > 0) use(files);
  });
}

async function droppedFiles(transfer: DataTransfer): Promise<PlacedFile[]> {
  // Both lists are empty once this function has waited for anything.
  const entries = [...transfer.items].map((item) => item.webkitGetAsEntry()).filter((entry) => entry !== null);
  const files = [...transfer.files].map((file) => ({ path: file.name, file }));
  if (!entries.some(({ isDirectory }) => isDirectory)) return files;
  return (await Promise.all(entries.map((entry) => filesBelow(entry, '')))).flat();
}

async function filesBelow(entry: FileSystemEntry, folder: string): Promise<PlacedFile[]> {
  const path = folder === '' ? entry.name : `${folder}/${entry.name}`;
  if (entry.isFile) {
    return new Promise((resolve, reject) =>
      (entry as FileSystemFileEntry).file((file) => resolve([{ path, file }]), reject),
    );
  }
  const inside = await readFolder((entry as FileSystemDirectoryEntry).createReader());
  return (await Promise.all(inside.map((child) => filesBelow(child, path)))).flat();
}

/** A reader gives a folder in portions, and an empty one at the end. */
async function readFolder(reader: FileSystemDirectoryReader): Promise<FileSystemEntry[]> {
  const all: FileSystemEntry[] = [];
  for (;;) {
    const portion = await new Promise<FileSystemEntry[]>((resolve, reject) => reader.readEntries(resolve, reject));
    if (portion.length === 0) return all;
    all.push(...portion);
  }
}
