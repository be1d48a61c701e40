// The place that the page is about, all inboxes or one of them: what holds in it, and how it is changed.
import { useRef } from "preact/hooks";
import type { IntentConfig, Intents } from "../../../model/api";
import { ApiError } from "../../../model/api";
import { refusedInbox, refusedPart, refusedTeam, withoutInbox } from "../../../model/intent-settings";
import { useConsole, useDesk } from "../../context";
import { Explained } from "../../failure";
import { intentName } from "../../parts/intent";
import type { Loaded } from "../page";

export type Place = {
  /** Id of the inbox; empty for all of them. */
  readonly inbox: string;
  readonly sorting: Intents;
  /** Saves what an edit makes of all that the account says; fails with words for whoever edits. */
  readonly change: (edit: (own: IntentConfig) => IntentConfig) => Promise<void>;
};

/** Null where messages are not sorted. */
export function usePlace(inbox: string, { value, reload, put }: Loaded<Intents | null>): Place | null {
  const app = useConsole();
  const { inbox: model } = useDesk();
  const newest = useRef(value);
  const line = useRef<Promise<unknown>>(Promise.resolve());
  // What was asked for before a change and comes after it tells what held before.
  if (value === null || newest.current === null || value.revision >= newest.current.revision) newest.current = value;

  const save = async (edit: (own: IntentConfig) => IntentConfig) => {
    const shown = newest.current;
    if (shown === null) return;
    let own = edit(shown.own);
    for (;;) {
      try {
        const changed = await app.api.changeIntents(own, shown.revision);
        if (inbox === "" || changed === null) {
          newest.current = changed;
          put(changed);
        } else {
          newest.current = { ...shown, own: changed.own, revision: changed.revision };
          await reload();
        }
        return;
      } catch (failure) {
        const gone = failure instanceof ApiError ? refusedInbox(failure.field ?? "") : null;
        // An inbox that was removed takes what was said of it along.
        if (gone === null || !Object.hasOwn(own.inboxes, gone)) {
          if (failure instanceof ApiError && failure.status === 412) await reload();
          throw explained(failure, (id) => model.inboxName(id));
        }
        own = withoutInbox(own, gone);
      }
    }
  };

  const { current: sorting } = newest;
  if (sorting === null) return null;
  return {
    inbox,
    sorting,
    // One after the other: the second builds on what the first has made.
    change: (edit) => {
      const run = line.current.then(() => save(edit));
      line.current = run.catch(() => undefined);
      return run;
    },
  };
}

function explained(failure: unknown, inboxName: (id: string) => string): unknown {
  if (!(failure instanceof ApiError)) return failure;
  if (failure.status === 412) return new Explained("intents.changed");
  const field = failure.field ?? "";
  const team = refusedTeam(field);
  if (team !== null) {
    const intent = intentName(team.intent);
    return team.inbox === "" ? new Explained("intents.team_gone", { intent }, field) : new Explained("intents.team_gone_in", { intent, inbox: inboxName(team.inbox) }, field);
  }
  return field === "own" && failure.detail !== null ? new Explained("intents.refused", { reason: failure.detail }, refusedPart(failure.detail)) : failure;
}
