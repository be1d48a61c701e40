// The inboxes: a list where there are several, and the pages of the one that is open.
import { useState } from "preact/hooks";
import type { Inbox } from "../../model/api";
import { parseOrigins } from "../../model/origins";
import { useConsole, useDesk } from "../context";
import { Button, TextArea, TextField } from "../parts/controls";
import { Icon } from "../parts/icon";
import { Dialog, DialogFoot } from "../parts/overlay";
import { Empty } from "../parts/states";
import { t } from "../text";
import { InboxPages } from "./inbox/pages";
import { Card, FormError, Load, Page, useSubmit } from "./page";

export function Inboxes({ item, part }: { readonly item: string | null; readonly part: string | null }) {
  const app = useConsole();
  const { inbox: model } = useDesk();
  const [adding, setAdding] = useState(false);
  return (
    <Load read={() => app.api.inboxes()}>
      {({ value: inboxes, reload, put }) => {
        const changed = async (inbox: Inbox | null) => {
          if (inbox === null) await reload();
          else put(inboxes.map((known) => (known.id === inbox.id ? inbox : known)));
          await model.loadDirectory();
        };
        const chosen = item === null ? (inboxes.length === 1 ? inboxes[0] : undefined) : inboxes.find((known) => known.id === item);
        return (
          <Page
            title={chosen === undefined ? t("settings.inboxes") : chosen.name}
            {...(inboxes.length > 1 && item !== null ? { crumb: { href: "#/settings/inboxes", text: t("inboxes.all") } } : {})}
            wide={chosen !== undefined && (part === "texts" || part === "look")}
            {...(chosen === undefined ? { lead: t("inboxes.lead") } : {})}
            action={
              <Button kind={chosen === undefined ? "primary" : "plain"} icon="plus" testid="add-inbox" onClick={() => setAdding(true)}>
                {t("inboxes.add")}
              </Button>
            }
          >
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
                      <a class="line line-link" href={`#/settings/inboxes/${inbox.id}`} data-testid="inbox-line">
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
            {chosen !== undefined && <InboxPages key={chosen.id} inbox={chosen} part={part} onDone={changed} />}
            {adding && (
              <AddInbox
                onClose={() => setAdding(false)}
                onDone={async (id) => {
                  await changed(null);
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
        <TextField label={t("inboxes.name")} help={t("inboxes.name_help")} required maxlength={100} value={name} onInput={setName} error={submit.errorOf("name")} autofocus testid="new-inbox-name" />
        <TextArea label={t("inboxes.origins")} help={t("inboxes.origins_help")} placeholder="https://www.example.com" value={origins} onInput={setOrigins} error={parsed.wrong.length > 0 ? t("inboxes.origins_wrong", { value: parsed.wrong[0] ?? "" }) : submit.errorOf("origins")} testid="new-inbox-origins" />
        <FormError submit={submit} />
        <DialogFoot onCancel={onClose} action={t("inboxes.add")} busy={submit.busy} disabled={parsed.wrong.length > 0} testid="new-inbox-submit" />
      </form>
    </Dialog>
  );
}
