/** The element of an id that the page has. */
export function byId<E extends HTMLElement = HTMLElement>(id: string): E {
  const found = document.getElementById(id);
  if (!found) throw new Error(`The page has no element '${id}'.`);
  return found as E;
}

/** A new element with properties and children. */
export function element<Tag extends keyof HTMLElementTagNameMap>(
  tag: Tag,
  properties: Partial<HTMLElementTagNameMap[Tag]> = {},
  ...children: (Node | string)[]
): HTMLElementTagNameMap[Tag] {
  const made = Object.assign(document.createElement(tag), properties);
  made.append(...children);
  return made;
}

/** The value of the radio button of this name that is chosen. */
export function chosen(form: HTMLFormElement, name: string): string {
  return form.querySelector<HTMLInputElement>(`[name=${name}]:checked`)!.value;
}

/** A button that is a label around an input for files. */
export function fileButton(text: string, input: Partial<HTMLInputElement>): [HTMLLabelElement, HTMLInputElement] {
  const files = element('input', { type: 'file', ...input });
  return [element('label', { className: 'button' }, text, files), files];
}

/** Calls back with the files that were picked; the same ones can be picked again. */
export function onPick(input: HTMLInputElement, use: (files: File[]) => void): void {
  input.addEventListener('change', () => {
    const files = [...(input.files ?? [])];
    // Emptied after the files were taken out, and before they are used.
    input.value = '';
    if (files.length > 0) use(files);
  });
}
