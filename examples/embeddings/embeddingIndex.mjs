/**
 * Embeddings by name, and the nearest of them by the cosine of the angle between them.
 *
 * All of them are looked at, one after the other: exact, and fast enough for some hundred thousand. Lengths are made 1 when
 * they come in, so that the cosine is a plain sum of products.
 */
export class EmbeddingIndex {
  /** @type {{ name: string, embedding: Float32Array }[]} */
  #entries = [];

  get size() {
    return this.#entries.length;
  }

  /**
   * @param {string} name
   * @param {Float32Array} embedding
   */
  add(name, embedding) {
    this.#entries.push({ name, embedding: normalized(embedding) });
  }

  /**
   * The most similar first; equal ones in the order in which they came.
   *
   * @param {Float32Array} wanted
   * @param {number} count at most so many
   */
  nearest(wanted, count) {
    const query = normalized(wanted);
    return this.#entries
      .map(({ name, embedding }) => ({ name, cosine: dot(query, embedding) }))
      .sort((a, b) => b.cosine - a.cosine)
      .slice(0, count);
  }
}

/**
 * The same direction, of length 1; zeros stay zeros, at a right angle to everything.
 *
 * @param {Float32Array} vector
 */
function normalized(vector) {
  const length = Math.sqrt(dot(vector, vector));
  return length === 0 ? vector : vector.map((value) => value / length);
}

/**
 * @param {Float32Array} a
 * @param {Float32Array} b
 */
function dot(a, b) {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += Number(a[i]) * Number(b[i]);
  return sum;
}
