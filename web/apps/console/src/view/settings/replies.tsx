import { LOCALES, LOCALE_NAMES, enumerated, localText } from "@frontdesk/i18n";
import { useState } from "preact/hooks";
import type { Team, Texts } from "../../model/api";
import type { CannedReply } from "../../model/replies";
import { findReplies } from "../../model/replies";
import { useConsole, useDesk } from "../context";
import { Button, SelectField, TextField } from "../parts/controls";
import { Icon } from "../parts/icon";
import { Dialog, DialogFoot } from "../parts/overlay";
import { Empty } from "../parts/states";
import { locale, t } from "../text";
import { Confirm } from "./confirm";
import { LanguageFields, tidyTexts } from "./languages";
import { Card, FormError, Load, Page, useSubmit } from "./page";

export function Replies() {
  const app = useConsole();
  const { inbox } = useDesk();
  const [query, setQuery] = useState("");
  const [editing, setEditing] = useState<CannedReply | "new" | null>(null);
  const [removing, setRemoving] = useState<CannedReply | null>(null);
  return (
    <Load read={async () => ({ replies: await app.api.replies(), teams: await app.api.teams() })}>
      {({ value: { replies, teams }, reload }) => {
        const changed = async () => {
          await reload();
          await inbox.loadDirectory();
        };
        const shown = findReplies(replies, query, replies.length);
        return (
          <Page
            title={t("settings.replies")}
            lead={t("replies.lead")}
            action={
              <Button kind="primary" icon="plus" testid="add-reply" onClick={() => setEditing("new")}>
                {t("replies.add")}
              </Button>
            }
          >
            {replies.length === 0 ? (
              <Empty icon="message-square-text" title={t("replies.none")}>
                <p>{t("replies.none_text")}</p>
              </Empty>
            ) : (
              <Card>
                <div class="search">
                  <Icon name="search" size={14} />
                  <input type="search" class="search-input" placeholder={t("replies.search")} aria-label={t("replies.search")} value={query} onInput={(event) => setQuery(event.currentTarget.value)} />
                </div>
                <ul class="lines">
                  {shown.map((reply) => (
                    <li key={reply.id} class="line" data-testid="canned-reply">
                      <span class="reply-shortcut">/{reply.shortcut}</span>
                      <span class="line-text">
                        <span class="clamp">{localText(reply.texts, locale())}</span>
                        <span class="meta">
                          {teamText(reply, teams)} · {enumerated(LOCALES.filter((name) => reply.texts[name] !== undefined).map((name) => LOCALE_NAMES[name]), locale())}
                        </span>
                      </span>
                      <Button size="small" kind="quiet" icon="pencil" label={t("edit_named", { name: reply.shortcut })} onClick={() => setEditing(reply)} />
                      <Button size="small" kind="quiet" icon="trash-2" label={t("remove_named", { name: reply.shortcut })} onClick={() => setRemoving(reply)} />
                    </li>
                  ))}
                  {shown.length === 0 && <li class="meta">{t("list.none_found")}</li>}
                </ul>
              </Card>
            )}
            {editing !== null && <EditReply reply={editing === "new" ? null : editing} teams={teams} onClose={() => setEditing(null)} onDone={changed} />}
            {removing !== null && (
              <Confirm
                title={t("replies.remove")}
                text={t("replies.remove_text", { name: removing.shortcut })}
                action={t("remove")}
                run={async () => {
                  await app.api.removeReply(removing.id);
                  await changed();
                }}
                onClose={() => setRemoving(null)}
              />
            )}
          </Page>
        );
      }}
    </Load>
  );
}

function teamText(reply: CannedReply, teams: readonly Team[]): string {
  const team = teams.find((known) => known.id === reply.team);
  return team === undefined ? t("replies.everybody") : localText(team.names, locale());
}

function EditReply({ reply, teams, onClose, onDone }: { readonly reply: CannedReply | null; readonly teams: readonly Team[]; readonly onClose: () => void; readonly onDone: () => Promise<void> }) {
  const app = useConsole();
  const [shortcut, setShortcut] = useState(reply?.shortcut ?? "");
  const [team, setTeam] = useState(reply?.team ?? "");
  const [texts, setTexts] = useState<Texts>(reply?.texts ?? {});
  const submit = useSubmit();
  const save = () => {
    const body = { shortcut: shortcut.trim().replace(/^\//, ""), team: team === "" ? null : team, texts: tidyTexts(texts) };
    return reply === null ? app.api.addReply(body) : app.api.changeReply(reply.id, body);
  };
  return (
    <Dialog title={reply === null ? t("replies.add") : t("replies.edit")} onClose={onClose} testid="reply-dialog">
      <form
        class="dialog-form"
        onSubmit={(event) => {
          event.preventDefault();
          void submit.run(save).then(async (done) => {
            if (!done) return;
            await onDone();
            onClose();
          });
        }}
      >
        <div class="form-row">
          <TextField label={t("replies.shortcut")} help={t("replies.shortcut_help")} required value={shortcut} onInput={setShortcut} error={submit.errorOf("shortcut")} autofocus testid="reply-shortcut" />
          <SelectField label={t("replies.team")} value={team} choices={[{ value: "", label: t("replies.everybody") }, ...teams.map((known) => ({ value: known.id, label: localText(known.names, locale()) }))]} onChange={setTeam} />
        </div>
        <LanguageFields label={t("replies.text")} help={t("replies.text_help")} value={texts} onChange={setTexts} error={submit.errorOf("texts")} long testid="reply-text" />
        <FormError submit={submit} />
        <DialogFoot onCancel={onClose} action={t("save")} busy={submit.busy} disabled={shortcut.trim() === "" || Object.keys(tidyTexts(texts)).length === 0} testid="reply-submit" />
      </form>
    </Dialog>
  );
}
