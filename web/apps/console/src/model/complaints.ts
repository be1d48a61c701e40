// Tells whoever answers a conversation that it has become a complaint: a quiet notice, no bell.
import type { ReadonlySignal } from "@preact/signals-core";
import { effect } from "@preact/signals-core";
import type { InboxModel } from "./inbox";
import { becameComplaint } from "./intents";
import type { Notices } from "./notices";
import type { Row } from "./types";

export type ComplaintsOptions = {
  readonly inbox: InboxModel;
  readonly notices: Notices;
  /** The conversation on the screen. */
  readonly shown: ReadonlySignal<string | null>;
  readonly open: (conversation: string) => void;
};

export class Complaints {
  readonly #own = new Set<string>();
  readonly stop: () => void;

  constructor(private readonly options: ComplaintsOptions) {
    const { inbox } = options;
    let known: ReadonlyMap<string, Row> | null = null;
    this.stop = effect(() => {
      const rows = inbox.rows.value;
      if (!inbox.client.listed.value) return;
      const before = known;
      known = rows;
      if (before === null || before === rows) return;
      for (const [id, row] of rows) {
        const was = before.get(id);
        if (was !== row && becameComplaint(row, was, inbox.me.id)) this.#tell(row);
      }
    });
  }

  /** This person is about to say what a conversation is: that is no news to them. */
  expect(conversation: string): void {
    this.#own.add(conversation);
  }

  /** It was refused. */
  forget(conversation: string): void {
    this.#own.delete(conversation);
  }

  #tell(row: Row): void {
    if (this.#own.delete(row.conversation) && row.session.intentSource === "person") return;
    const { inbox, notices, shown, open } = this.options;
    const action = shown.peek() === row.conversation ? null : { label: "intent.show" as const, run: () => open(row.conversation) };
    notices.show("info", "intent.became_complaint", { name: inbox.nameOf(row) }, action);
  }
}
