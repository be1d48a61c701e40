// Short messages at the foot of the screen: what was done, with a way back, or what went wrong.
import type { Clock } from "@frontdesk/client";
import type { ReadonlySignal } from "@preact/signals-core";
import { signal } from "@preact/signals-core";
import type { Params } from "@frontdesk/i18n";
import type { Key } from "./text-keys";

export type Notice = {
  readonly id: number;
  readonly kind: "ok" | "info" | "danger";
  /** What it says; for a failure the server's code, which the view puts in words. */
  readonly text: { readonly key: Key } | { readonly code: string };
  readonly params: Params;
  readonly action: { readonly label: Key; readonly run: () => void } | null;
};

const lifeMs = 6_000;
const shownMax = 3;

export class Notices {
  readonly #list = signal<readonly Notice[]>([]);
  readonly list: ReadonlySignal<readonly Notice[]> = this.#list;
  #nextId = 1;

  constructor(private readonly clock: Pick<Clock, "setTimer">) {}

  show(kind: Notice["kind"], key: Key, params: Params = {}, action: Notice["action"] = null): void {
    this.#add({ id: this.#nextId++, kind, text: { key }, params, action });
  }

  problem(code: string, params: Params = {}): void {
    this.#add({ id: this.#nextId++, kind: "danger", text: { code }, params, action: null });
  }

  #add(notice: Notice): void {
    this.#list.value = [...this.#list.peek(), notice].slice(-shownMax);
    this.clock.setTimer(() => this.dismiss(notice.id), notice.action === null ? lifeMs : lifeMs + 4_000);
  }

  dismiss(id: number): void {
    this.#list.value = this.#list.peek().filter((notice) => notice.id !== id);
  }
}
