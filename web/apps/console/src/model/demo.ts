// The scripted visitors of a demo: whether they come, and stopping them. Where there is no demo the
// console knows nothing of it.
import type { ReadonlySignal } from "@preact/signals-core";
import { signal } from "@preact/signals-core";
import type { Api, DemoState } from "./api";

export class DemoControl {
  readonly #state = signal<DemoState | null>(null);
  /** Null where there are no scripted visitors. */
  readonly state: ReadonlySignal<DemoState | null> = this.#state;

  constructor(
    private readonly api: Pick<Api, "demo" | "pauseDemo">,
    demo: boolean,
  ) {
    if (demo) void this.#load();
  }

  async #load(): Promise<void> {
    try {
      this.#state.value = await this.api.demo();
    } catch {
      // A demo without visitors of its own answers nothing here.
    }
  }

  /** Lets them pause or come again; rejects where the server does not answer. */
  async toggle(): Promise<void> {
    const state = this.#state.peek();
    if (state === null) return;
    await this.api.pauseDemo(!state.paused);
    this.#state.value = await this.api.demo();
  }
}
