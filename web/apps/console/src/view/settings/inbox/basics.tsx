// Name, websites, language and who answers; and at the foot what cannot be undone.
import { LOCALES, LOCALE_NAMES, localText } from "@frontdesk/i18n";
import { useState } from "preact/hooks";
import type { Inbox } from "../../../model/api";
import { parseOrigins } from "../../../model/origins";
import { useConsole, useDesk } from "../../context";
import { Button, SelectField, TextArea, TextField } from "../../parts/controls";
import { locale, t } from "../../text";
import { Confirm } from "../confirm";
import { SaveBar, useDraft } from "../form";
import { Card, FormError, useSubmit } from "../page";
import type { InboxPageProps } from "./pages";

const draftOf = (inbox: Inbox) => ({ name: inbox.name, origins: inbox.origins.join("\n"), team: inbox.default_team ?? "", routing: inbox.routing, language: inbox.language });

export function Basics({ inbox, onDone }: InboxPageProps) {
  const app = useConsole();
  const { inbox: model, me } = useDesk();
  const draft = useDraft(draftOf(inbox));
  const submit = useSubmit();
  const { name, origins, team, routing, language } = draft.value;
  const parsed = parseOrigins(origins);
  const save = async () => {
    const changed = await app.api.changeInbox(inbox.id, { name: name.trim(), origins: parsed.origins, default_team: team === "" ? null : team, routing, language });
    draft.reset(draftOf(changed));
    await onDone(changed);
  };
  const accountLanguage = LOCALE_NAMES[LOCALES.find((known) => known.split("-")[0] === me.account.language?.split("-")[0]) ?? "en"];
  return (
    <form
      class="cards"
      onSubmit={(event) => {
        event.preventDefault();
        if (parsed.wrong.length === 0) void submit.run(save);
      }}
    >
      <Card title={t("inboxes.basics")}>
        <div class="form">
          <div class="form-row">
            <TextField label={t("inboxes.name")} help={t("inboxes.name_help")} required maxlength={100} value={name} onInput={(value) => draft.set({ name: value })} error={submit.errorOf("name")} testid="inbox-name" />
            <SelectField
              label={t("inboxes.language")}
              help={t("inboxes.language_help")}
              value={language}
              choices={[{ value: "", label: t("inboxes.language_account", { language: accountLanguage }) }, ...LOCALES.map((value) => ({ value, label: LOCALE_NAMES[value] }))]}
              onChange={(value) => draft.set({ language: value })}
              error={submit.errorOf("language")}
              testid="inbox-language"
            />
          </div>
          <TextArea
            label={t("inboxes.origins")}
            help={t("inboxes.origins_help")}
            placeholder="https://www.example.com"
            value={origins}
            onInput={(value) => draft.set({ origins: value })}
            error={parsed.wrong.length > 0 ? t("inboxes.origins_wrong", { value: parsed.wrong[0] ?? "" }) : submit.errorOf("origins")}
            testid="inbox-origins"
          />
        </div>
      </Card>
      <Card title={t("inboxes.routing")} text={t("inboxes.routing_text")}>
        <div class="form form-row">
          <SelectField
            label={t("inboxes.team")}
            value={team}
            choices={[{ value: "", label: t("queue.common") }, ...model.directory.value.teams.map((known) => ({ value: known.id, label: localText(known.names, locale()) }))]}
            onChange={(value) => draft.set({ team: value })}
            error={submit.errorOf("default_team")}
            testid="inbox-team"
          />
          <SelectField
            label={t("inboxes.assignment")}
            value={routing}
            choices={[
              { value: "auto", label: t("inboxes.auto") },
              { value: "manual", label: t("inboxes.manual") },
            ]}
            onChange={(value) => draft.set({ routing: value === "manual" ? "manual" : "auto" })}
            testid="inbox-routing"
          />
        </div>
      </Card>
      <FormError submit={submit} />
      <SaveBar draft={draft} submit={submit} disabled={parsed.wrong.length > 0} testid="inbox-save" />
      <Danger inbox={inbox} onDone={onDone} />
    </form>
  );
}

function Danger({ inbox, onDone }: InboxPageProps) {
  const app = useConsole();
  const [asking, setAsking] = useState<"key" | "remove" | null>(null);
  return (
    <Card title={t("inboxes.danger")}>
      <ul class="lines">
        <li class="line">
          <span class="line-text">
            <span>{t("inboxes.rotate")}</span>
            <span class="meta">{t("inboxes.rotate_help")}</span>
          </span>
          <Button size="small" icon="rotate-ccw" testid="rotate-key" onClick={() => setAsking("key")}>
            {t("inboxes.rotate_do")}
          </Button>
        </li>
        <li class="line">
          <span class="line-text">
            <span>{t("inboxes.remove")}</span>
            <span class="meta">{t("inboxes.remove_help")}</span>
          </span>
          <Button size="small" kind="danger" icon="trash-2" testid="remove-inbox" onClick={() => setAsking("remove")}>
            {t("remove")}
          </Button>
        </li>
      </ul>
      {asking === "key" && (
        <Confirm title={t("inboxes.rotate")} text={t("inboxes.rotate_text", { name: inbox.name })} action={t("inboxes.rotate_do")} run={async () => onDone(await app.api.rotateInboxKey(inbox.id))} onClose={() => setAsking(null)} />
      )}
      {asking === "remove" && (
        <Confirm
          title={t("inboxes.remove")}
          text={t("inboxes.remove_text", { name: inbox.name })}
          action={t("remove")}
          run={async () => {
            await app.api.removeInbox(inbox.id);
            await onDone(null);
            app.go({ page: "settings", section: "inboxes", item: null });
          }}
          onClose={() => setAsking(null)}
        />
      )}
    </Card>
  );
}
