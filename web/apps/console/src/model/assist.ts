// What a language model may do for whoever answers: put a text better, translate it, sum a conversation up.
import type { ReadonlySignal } from "@preact/signals-core";
import { signal } from "@preact/signals-core";
import type { Rights } from "./account";
import type { Api, Me } from "./api";
import type { AssistKind } from "./llm";
import { assistKinds } from "./llm";

export class AssistOffer {
  readonly #kinds = signal<readonly AssistKind[]>([]);
  #asked = false;
  /** What is offered; nothing until it is known. */
  readonly kinds: ReadonlySignal<readonly AssistKind[]> = this.#kinds;

  constructor(
    private readonly api: Pick<Api, "llm">,
    private readonly rights: Rights,
    private readonly me: Pick<Me, "assist">,
  ) {
    const told = me.assist;
    if (told !== undefined) this.#kinds.value = assistKinds.filter((kind) => told.includes(kind));
  }

  /** Looks once, where it was not told with who is signed in and where the reader may look. */
  async look(): Promise<void> {
    if (this.#asked || this.me.assist !== undefined || !this.rights.has("settings.bots")) return;
    this.#asked = true;
    try {
      const { base_url: baseUrl, model, features } = await this.api.llm.read();
      this.#kinds.value = baseUrl === "" || model === "" ? [] : assistKinds.filter((kind) => features[kind]);
    } catch {
      // Nobody misses an offer that was not made; with the next sign-in it is looked for again.
    }
  }
}
