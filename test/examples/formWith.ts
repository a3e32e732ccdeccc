/** A form that uploads these files. */
export function formWith(...files: Uint8Array[]) {
  const form = new FormData();
  form.append('note', 'text beside the file');
  for (const bytes of files) form.append('picture', new Blob([new Uint8Array(bytes)]), 'a.jpg');
  return form;
}
