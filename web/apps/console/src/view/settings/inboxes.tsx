import { localText } from "@frontdesk/i18n";
import { useState } from "preact/hooks";
import type { Inbox, Texts } from "../../model/api";
import { chatPage, snippet } from "../../model/snippet";
import { useConsole, useDesk } from "../context";
import { Button, SelectField, TextArea, TextField } from "../parts/controls";
import { Icon } from "../parts/icon";
import { Dialog } from "../parts/overlay";
import { Empty } from "../parts/states";
import { locale, t } from "../text";
import { LanguageFields, tidyTexts } from "./languages";
import { Card, FormError, Load, Page, useSubmit } from "./page";

const textNames = ["title", "greeting", "away"] as const;

export function Inboxes({ item }: { readonly item: string | null }) {
  const app = useConsole();
  const { inbox: model } = useDesk();
  const [adding, setAdding] = useState(false);
  return (
    <Load read={() => app.api.inboxes()}>
      {({ value: inboxes, reload }) => {
        const changed = async () => {
          await reload();
          await model.loadDirectory();
        };
        const chosen = item === null ? (inboxes.length === 1 ? inboxes[0] : undefined) : inboxes.find((known) => known.id === item);
        return (
          <Page
            title={chosen === undefined ? t("settings.inboxes") : chosen.name}
            lead={t("inboxes.lead")}
            action={
              <Button kind={inboxes.length === 0 ? "primary" : "plain"} icon="plus" testid="add-inbox" onClick={() => setAdding(true)}>
                {t("inboxes.add")}
              </Button>
            }
          >
            {inboxes.length > 1 && item !== null && (
              <a class="crumb" href="#/settings/inboxes">
                <Icon name="chevron-left" size={14} />
                {t("inboxes.all")}
              </a>
            )}
            {inboxes.length === 0 && (
              <Empty icon="globe" title={t("inboxes.none")}>
                <p>{t("inboxes.none_text")}</p>
              </Empty>
            )}
            {chosen === undefined && inboxes.length > 0 && (
              <Card>
                <ul class="lines">
                  {inboxes.map((inbox) => (
                    <li key={inbox.id}>
                      <a class="line line-link" href={`#/settings/inboxes/${inbox.id}`}>
                        <Icon name="globe" />
                        <span class="line-text">
                          <span>{inbox.name}</span>
                          <span class="meta">{inbox.origins.length === 0 ? t("inboxes.no_origin") : inbox.origins.join(", ")}</span>
                        </span>
                        <Icon name="chevron-right" />
                      </a>
                    </li>
                  ))}
                </ul>
              </Card>
            )}
            {chosen !== undefined && <InboxForm key={chosen.id} inbox={chosen} onDone={changed} />}
            {adding && (
              <AddInbox
                onClose={() => setAdding(false)}
                onDone={async (id) => {
                  await changed();
                  setAdding(false);
                  app.go({ page: "settings", section: "inboxes", item: id });
                }}
              />
            )}
          </Page>
        );
      }}
    </Load>
  );
}

/** One origin a line, as a browser writes it: scheme, host, port. */
function parseOrigins(text: string): { readonly origins: readonly string[]; readonly wrong: readonly string[] } {
  const origins: string[] = [];
  const wrong: string[] = [];
  for (const line of text.split(/[\s,，]+/)) {
    if (line === "") continue;
    try {
      const url = new URL(line);
      if (url.protocol !== "https:" && url.protocol !== "http:") throw new TypeError("not the web");
      if (!origins.includes(url.origin)) origins.push(url.origin);
    } catch {
      wrong.push(line);
    }
  }
  return { origins, wrong };
}

function InboxForm({ inbox, onDone }: { readonly inbox: Inbox; readonly onDone: () => Promise<void> }) {
  const app = useConsole();
  const { inbox: model } = useDesk();
  const [name, setName] = useState(inbox.name);
  const [origins, setOrigins] = useState(inbox.origins.join("\n"));
  const [team, setTeam] = useState(inbox.default_team ?? "");
  const [routing, setRouting] = useState(inbox.routing);
  const [texts, setTexts] = useState<Readonly<Record<string, Texts>>>(inbox.texts);
  const submit = useSubmit();
  const parsed = parseOrigins(origins);
  const base = new URL(".", location.href).href;
  const line = snippet(base, inbox.inbox_key);
  const link = chatPage(base, inbox.inbox_key);
  return (
    <form
      class="cards"
      onSubmit={(event) => {
        event.preventDefault();
        if (parsed.wrong.length > 0) return;
        const body = { name: name.trim(), origins: parsed.origins, default_team: team === "" ? null : team, routing, texts: Object.fromEntries(Object.entries(texts).map(([key, value]) => [key, tidyTexts(value)])) };
        void submit.run(() => app.api.changeInbox(inbox.id, body)).then((done) => (done ? onDone() : undefined));
      }}
    >
      <Card title={t("inboxes.install")} text={t("inboxes.install_text")}>
        <div class="snippet">
          <code data-testid="inbox-snippet">{line}</code>
          <Button size="small" icon="copy" label={t("inboxes.copy")} testid="copy-snippet" onClick={() => void app.copy(line)}>
            {t("copy")}
          </Button>
        </div>
        <p class="card-text">{t("inboxes.link_text")}</p>
        <div class="snippet">
          <code>
            <a href={link} target="_blank" rel="noopener">
              {link}
            </a>
          </code>
          <Button size="small" icon="link" label={t("inboxes.copy_link")} onClick={() => void app.copy(link)}>
            {t("copy")}
          </Button>
        </div>
      </Card>
      <Card title={t("inboxes.basics")}>
        <div class="form">
          <TextField label={t("inboxes.name")} required value={name} onInput={setName} error={submit.errorOf("name")} testid="inbox-name" />
          <TextArea
            label={t("inboxes.origins")}
            help={t("inboxes.origins_help")}
            placeholder="https://www.example.com"
            value={origins}
            onInput={setOrigins}
            error={parsed.wrong.length > 0 ? t("inboxes.origins_wrong", { value: parsed.wrong[0] ?? "" }) : submit.errorOf("origins")}
            testid="inbox-origins"
          />
        </div>
      </Card>
      <Card title={t("inboxes.routing")} text={t("inboxes.routing_text")}>
        <div class="form form-row">
          <SelectField label={t("inboxes.team")} value={team} choices={[{ value: "", label: t("queue.common") }, ...model.directory.value.teams.map((known) => ({ value: known.id, label: localText(known.names, locale()) }))]} onChange={setTeam} />
          <SelectField
            label={t("inboxes.assignment")}
            value={routing}
            choices={[
              { value: "auto", label: t("inboxes.auto") },
              { value: "manual", label: t("inboxes.manual") },
            ]}
            onChange={(value) => setRouting(value === "manual" ? "manual" : "auto")}
          />
        </div>
      </Card>
      <Card title={t("inboxes.texts")} text={t("inboxes.texts_text")}>
        <div class="form">
          {textNames.map((key) => (
            <LanguageFields key={key} label={t(`inboxes.text_${key}`)} help={t(`inboxes.text_${key}_help`)} value={texts[key] ?? {}} onChange={(value) => setTexts({ ...texts, [key]: value })} error={submit.errorOf(`texts.${key}`)} long testid={`inbox-${key}`} />
          ))}
        </div>
      </Card>
      <FormError submit={submit} />
      <div class="form-foot">
        <Button type="submit" kind="primary" busy={submit.busy} disabled={parsed.wrong.length > 0} testid="inbox-save">
          {t("save")}
        </Button>
      </div>
    </form>
  );
}

function AddInbox({ onClose, onDone }: { readonly onClose: () => void; readonly onDone: (id: string) => Promise<void> }) {
  const app = useConsole();
  const [name, setName] = useState("");
  const [origins, setOrigins] = useState("");
  const submit = useSubmit();
  const parsed = parseOrigins(origins);
  return (
    <Dialog title={t("inboxes.add")} onClose={onClose} testid="inbox-dialog">
      <form
        class="dialog-form"
        onSubmit={(event) => {
          event.preventDefault();
          let id = "";
          void submit
            .run(async () => {
              id = (await app.api.addInbox({ name: name.trim(), origins: parsed.origins })).id;
            })
            .then((done) => (done ? onDone(id) : undefined));
        }}
      >
        <TextField label={t("inboxes.name")} required value={name} onInput={setName} error={submit.errorOf("name")} autofocus />
        <TextArea label={t("inboxes.origins")} help={t("inboxes.origins_help")} placeholder="https://www.example.com" value={origins} onInput={setOrigins} error={parsed.wrong.length > 0 ? t("inboxes.origins_wrong", { value: parsed.wrong[0] ?? "" }) : submit.errorOf("origins")} />
        <FormError submit={submit} />
        <footer class="dialog-foot">
          <Button onClick={onClose}>{t("cancel")}</Button>
          <Button type="submit" kind="primary" busy={submit.busy} disabled={parsed.wrong.length > 0}>
            {t("inboxes.add")}
          </Button>
        </footer>
      </form>
    </Dialog>
  );
}
