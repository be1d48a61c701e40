// Handing a conversation on: to a colleague or to a team, with a note for whoever takes it.
import { useEffect, useId, useRef, useState } from "preact/hooks";
import { localText } from "@frontdesk/i18n";
import type { Chat } from "../../model/chat";
import { soundsLike } from "../../model/pinyin";
import { useConsole, useDesk } from "../context";
import { Avatar } from "../parts/avatar";
import { TextArea } from "../parts/controls";
import { Icon } from "../parts/icon";
import { Dialog, DialogFoot } from "../parts/overlay";
import { presenceText } from "../presence";
import { locale, t } from "../text";

type Target = { readonly key: string; readonly kind: "agent" | "team"; readonly id: string; readonly name: string };

const presenceOrder = { online: 0, away: 1, offline: 2 };

export function TransferDialog({ chat, onClose }: { readonly chat: Chat; readonly onClose: () => void }) {
  const app = useConsole();
  const { inbox } = useDesk();
  const group = useId();
  const [chosen, setChosen] = useState<Target | null>(null);
  const [note, setNote] = useState("");
  const [query, setQuery] = useState("");
  const [busy, setBusy] = useState(false);
  const session = chat.session.value;
  const { teams } = inbox.directory.value;
  const agents = inbox.agents();
  const fits = (name: string) => soundsLike(name, query);
  const colleagues = agents
    .filter((agent) => agent.id !== session.owner?.id && fits(agent.name))
    .sort((a, b) => presenceOrder[a.presence] - presenceOrder[b.presence] || a.open_sessions - b.open_sessions || a.name.localeCompare(b.name));
  const others = teams.map((team) => ({ ...team, name: localText(team.names, locale()) })).filter((team) => fits(team.name));
  const search = useRef<HTMLInputElement>(null);
  useEffect(() => search.current?.focus(), []);
  const submit = async () => {
    if (chosen === null) return;
    setBusy(true);
    const done = await chat.command({ transfer: chosen.kind === "agent" ? { toAgent: chosen.id, note: note.trim() } : { toTeam: chosen.id, note: note.trim() } });
    setBusy(false);
    if (!done) return;
    app.notices.show("ok", "transfer.done", { name: chosen.name });
    onClose();
  };
  const option = (target: Target, drawing: preact.ComponentChildren, hint: string) => (
    <label key={target.key} class={chosen?.key === target.key ? "target target-chosen" : "target"}>
      <input type="radio" name={group} checked={chosen?.key === target.key} onChange={() => setChosen(target)} data-testid={`transfer-${target.kind}`} data-target={target.id} />
      {drawing}
      <span class="target-name">{target.name}</span>
      <span class="meta">{hint}</span>
    </label>
  );
  return (
    <Dialog title={t("transfer.title")} onClose={onClose} testid="transfer-dialog">
      <form
        class="dialog-form"
        onSubmit={(event) => {
          event.preventDefault();
          void submit();
        }}
      >
        <div class="search">
          <Icon name="search" size={14} />
          <input ref={search} type="search" class="search-input" placeholder={t("transfer.search")} aria-label={t("transfer.search")} value={query} onInput={(event) => setQuery(event.currentTarget.value)} />
        </div>
        <div class="targets">
          {colleagues.length > 0 && (
            <fieldset>
              <legend>{t("transfer.agents")}</legend>
              {colleagues.map((agent) =>
                option(
                  { key: `a${agent.id}`, kind: "agent", id: agent.id, name: agent.name },
                  <Avatar id={agent.id} name={agent.name} size="small" presence={agent.presence} />,
                  `${presenceText(agent.presence)} · ${agent.capacity > 0 ? t("transfer.load", { open: agent.open_sessions, capacity: agent.capacity }) : t("transfer.open", { open: agent.open_sessions })}`,
                ),
              )}
            </fieldset>
          )}
          {others.length > 0 && (
            <fieldset>
              <legend>{t("transfer.teams")}</legend>
              {others.map((team) =>
                option(
                  { key: `t${team.id}`, kind: "team", id: team.id, name: team.name },
                  <Avatar id={team.id} name={team.name} size="small" icon="users" />,
                  t("transfer.members", { count: team.members.length }),
                ),
              )}
            </fieldset>
          )}
          {colleagues.length + others.length === 0 && <p class="meta">{t("transfer.none")}</p>}
        </div>
        <TextArea label={t("transfer.note")} optional={t("optional")} help={t("transfer.note_help")} value={note} onInput={setNote} testid="transfer-note" />
        <DialogFoot onCancel={onClose} action={t("transfer")} busy={busy} disabled={chosen === null} testid="transfer-submit" />
      </form>
    </Dialog>
  );
}
