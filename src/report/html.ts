/** A piece of a page, in which nothing is left to escape. */
export class Html {
  constructor(readonly text: string) {}
}

/** What {@link html} takes: text, which it escapes, or pieces of a page; undefined and false are nothing. */
export type HtmlValue = string | number | Html | readonly Html[] | undefined | false;

/** A piece of a page, with every value escaped for text and for quoted attributes. */
export function html(parts: TemplateStringsArray, ...values: HtmlValue[]): Html {
  return new Html(parts.reduce((text, part, i) => text + textOf(values[i - 1]) + part));
}

function textOf(value: HtmlValue): string {
  if (value === undefined || value === false) return '';
  if (value instanceof Html) return value.text;
  if (Array.isArray(value)) return value.map(({ text }) => text).join('');
  return String(value).replace(/[&<>"']/g, (character) => ESCAPED[character]!);
}

const ESCAPED: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' };

/** A value for a `<script type="application/json">`; the numbers that JSON lacks become null. */
export function embeddedJson(value: unknown): Html {
  // The only sequences that end or confuse a script element begin with this character.
  return new Html(JSON.stringify(value).replaceAll('<', '\\u003c'));
}
