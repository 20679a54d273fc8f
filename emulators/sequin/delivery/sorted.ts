/** Items in ascending order of a number, equal ones in order of arrival. */
export class Sorted<Item> {
  readonly items: Item[] = [];
  readonly #rank: (item: Item) => number;

  constructor(rank: (item: Item) => number) {
    this.#rank = rank;
  }

  add(item: Item): void {
    this.items.splice(this.#end(this.#rank(item)), 0, item);
  }

  remove(item: Item): void {
    const at = this.items.lastIndexOf(item, this.#end(this.#rank(item)) - 1);
    if (at >= 0) this.items.splice(at, 1);
  }

  first(): Item | undefined {
    return this.items[0];
  }

  shift(): Item | undefined {
    return this.items.shift();
  }

  /** The index after the last item whose rank is not above the given one. */
  #end(rank: number): number {
    let low = 0;
    let high = this.items.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const item = this.items[middle];
      if (item !== undefined && this.#rank(item) <= rank) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
