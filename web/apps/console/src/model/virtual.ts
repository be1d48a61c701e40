// Which rows of a long column are worth drawing, and where they lie. Heights are estimates until a
// row has been measured; the sums are kept in a Fenwick tree, so a measurement costs O(log n) and
// ten thousand rows scroll like ten.

export type Span = { readonly start: number; readonly end: number };

export class Column {
  #keys: readonly string[] = [];
  #index = new Map<string, number>();
  readonly #measured = new Map<string, number>();
  #sizes: number[] = [];
  #tree: number[] = [0];

  constructor(readonly estimate: (key: string) => number) {}

  get length(): number {
    return this.#keys.length;
  }

  get keys(): readonly string[] {
    return this.#keys;
  }

  setKeys(keys: readonly string[]): void {
    if (keys === this.#keys) return;
    if (this.#append(keys)) return;
    this.#keys = keys;
    this.#index = new Map(keys.map((key, at) => [key, at]));
    this.#sizes = keys.map((key) => this.#measured.get(key) ?? this.estimate(key));
    const tree = new Array<number>(keys.length + 1).fill(0);
    this.#sizes.forEach((size, at) => {
      tree[at + 1] = (tree[at + 1] ?? 0) + size;
      const parent = at + 1 + ((at + 1) & -(at + 1));
      if (parent < tree.length) tree[parent] = (tree[parent] ?? 0) + (tree[at + 1] ?? 0);
    });
    this.#tree = tree;
    if (this.#measured.size > keys.length + 200) {
      for (const key of this.#measured.keys()) if (!this.#index.has(key)) this.#measured.delete(key);
    }
  }

  /** Rows that come at the end cost what they are, not what stands before them. */
  #append(keys: readonly string[]): boolean {
    const known = this.#keys;
    if (known.length === 0 || keys.length < known.length || known.some((key, at) => keys[at] !== key)) return false;
    this.#keys = keys;
    for (let at = known.length; at < keys.length; at++) {
      const key = keys[at] ?? "";
      const size = this.#measured.get(key) ?? this.estimate(key);
      this.#index.set(key, at);
      this.#sizes.push(size);
      const node = at + 1;
      let sum = size;
      for (let child = node - 1; child > node - (node & -node); child -= child & -child) sum += this.#tree[child] ?? 0;
      this.#tree.push(sum);
    }
    return true;
  }

  /** Takes a measured height; says whether it changed anything that can be seen. */
  measure(key: string, height: number): boolean {
    const at = this.#index.get(key);
    if (at === undefined) return false;
    this.#measured.set(key, height);
    const change = height - (this.#sizes[at] ?? 0);
    // Fractions are taken in as well: over many rows they add up to what can be seen.
    if (change === 0) return false;
    this.#sizes[at] = height;
    for (let node = at + 1; node < this.#tree.length; node += node & -node) {
      this.#tree[node] = (this.#tree[node] ?? 0) + change;
    }
    return Math.abs(change) >= 0.5;
  }

  indexOf(key: string): number {
    return this.#index.get(key) ?? -1;
  }

  /** Where row `index` begins; `length` gives the end of the column. */
  offset(index: number): number {
    let sum = 0;
    for (let node = Math.min(index, this.length); node > 0; node -= node & -node) sum += this.#tree[node] ?? 0;
    return sum;
  }

  get total(): number {
    return this.offset(this.length);
  }

  /** The row that covers this offset. */
  at(offset: number): number {
    let node = 0;
    let left = offset;
    for (let step = 1 << Math.max(0, Math.floor(Math.log2(Math.max(1, this.length)))); step > 0; step >>= 1) {
      const next = node + step;
      const size = this.#tree[next];
      if (next <= this.length && size !== undefined && size <= left) {
        node = next;
        left -= size;
      }
    }
    return Math.min(node, Math.max(0, this.length - 1));
  }

  /** The rows that touch the window, with some more on either side. */
  span(top: number, height: number, overscan: number): Span {
    if (this.length === 0) return { start: 0, end: 0 };
    const start = this.at(Math.max(0, top - overscan));
    const end = Math.min(this.length, this.at(top + height + overscan) + 1);
    return { start, end };
  }
}
