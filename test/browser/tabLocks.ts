type Use<T> = (lock: object | null) => T | Promise<T>;

/** As much of `navigator.locks` as the live page takes. */
export class TabLocks {
  #held = new Set<string>();
  #waiting: (() => void)[] = [];

  async query() {
    return { held: [...this.#held].map((name) => ({ name })) };
  }

  request<T>(name: string, use: Use<T>): Promise<T>;
  request<T>(name: string, options: { ifAvailable: true }, use: Use<T>): Promise<T>;
  async request<T>(name: string, ...rest: [Use<T>] | [{ ifAvailable: true }, Use<T>]): Promise<T> {
    const use = rest.at(-1) as Use<T>;
    if (rest.length === 2 && this.#held.has(name)) return use(null);
    while (this.#held.has(name)) await new Promise<void>((resolve) => this.#waiting.push(resolve));
    const release = this.holdElsewhere(name);
    try {
      return await use({ name });
    } finally {
      release();
    }
  }

  /** Takes a lock as another tab does; until the function is called that it returns. */
  holdElsewhere(name: string): () => void {
    this.#held.add(name);
    return () => {
      this.#held.delete(name);
      for (const wake of this.#waiting.splice(0)) wake();
    };
  }
}
