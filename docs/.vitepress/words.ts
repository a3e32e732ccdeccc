/**
 * Cuts a text into what the search box looks for: words, and of Chinese, which has no spaces, each character and each pair
 * of neighbours.
 *
 * VitePress sends this to the browser as source: it must stand by itself.
 */
export function words(text: string): string[] {
  const found: string[] = [];
  for (const word of text.split(/[\n\r\p{Z}\p{P}]+/u)) {
    for (const piece of word.match(/\p{Script=Han}+|[^\p{Script=Han}]+/gu) ?? []) {
      if (!/\p{Script=Han}/u.test(piece)) {
        found.push(piece);
        continue;
      }
      const characters = [...piece];
      characters.forEach((character, i) => {
        found.push(character);
        if (i > 0) found.push(characters[i - 1] + character);
      });
    }
  }
  return found;
}
