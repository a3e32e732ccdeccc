/** Items in their order by a key, each to be taken once. */
export class Queues<Item> {
  private readonly reversed = new Map<string, Item[]>();

  constructor(items: readonly Item[], keyOf: (item: Item) => string) {
    for (const item of items.toReversed()) {
      const queue = this.reversed.get(keyOf(item)) ?? [];
      queue.push(item);
      this.reversed.set(keyOf(item), queue);
    }
  }

  next(key: string): Item | undefined {
    return this.reversed.get(key)?.pop();
  }

  /** One that nobody took, if there is any. */
  left(): Item | undefined {
    return [...this.reversed.values()].find(({ length }) => length > 0)?.at(-1);
  }
}
