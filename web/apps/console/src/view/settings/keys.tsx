import { dateOf, relativeTime } from "@frontdesk/i18n";
import { useState } from "preact/hooks";
import type { ApiKey } from "../../model/api";
import { useConsole, useDesk } from "../context";
import { Button, Checkbox, TextField } from "../parts/controls";
import { Icon } from "../parts/icon";
import { Dialog, DialogFoot } from "../parts/overlay";
import { Empty } from "../parts/states";
import { locale, t } from "../text";
import { Confirm } from "./confirm";
import { Card, FormError, Load, Page, useSubmit } from "./page";
import { RightsFields } from "./rights-fields";

export function Keys() {
  const app = useConsole();
  const [adding, setAdding] = useState(false);
  const [removing, setRemoving] = useState<ApiKey | null>(null);
  const now = app.now.value;
  return (
    <Load read={() => app.api.keys()}>
      {({ value: keys, reload }) => (
        <Page
          title={t("settings.keys")}
          lead={t("keys.lead")}
          action={
            <Button kind="primary" icon="plus" testid="add-key" onClick={() => setAdding(true)}>
              {t("keys.add")}
            </Button>
          }
        >
          {keys.length === 0 ? (
            <Empty icon="key-round" title={t("keys.none")}>
              <p>{t("keys.none_text")}</p>
            </Empty>
          ) : (
            <Card>
              <ul class="lines">
                {keys.map((key) => (
                  <li key={key.id} class="line" data-testid="api-key">
                    <Icon name="key-round" />
                    <span class="line-text">
                      <span>
                        {key.name} <code class="key-hint">fd_…{key.hint}</code>
                        {key.bot === true && (
                          <>
                            {" "}
                            <span class="tag">
                              <Icon name="bot" size={12} />
                              {t("bot")}
                            </span>
                          </>
                        )}
                      </span>
                      <span class="meta">
                        {t("keys.created", { date: dateOf(key.created_at_ms, now, locale()) })} · {key.last_used_at_ms === null ? t("keys.unused") : t("keys.used", { time: relativeTime(key.last_used_at_ms, now, locale()) })} · {t("keys.rights", { count: key.rights.length })}
                      </span>
                    </span>
                    <Button size="small" kind="quiet" icon="trash-2" label={t("remove_named", { name: key.name })} onClick={() => setRemoving(key)} />
                  </li>
                ))}
              </ul>
            </Card>
          )}
          {adding && <AddKey onClose={() => setAdding(false)} onDone={reload} />}
          {removing !== null && (
            <Confirm
              title={t("keys.remove")}
              text={t("keys.remove_text", { name: removing.name })}
              action={t("remove")}
              run={async () => {
                await app.api.removeKey(removing.id);
                await reload();
              }}
              onClose={() => setRemoving(null)}
            />
          )}
        </Page>
      )}
    </Load>
  );
}

function AddKey({ onClose, onDone }: { readonly onClose: () => void; readonly onDone: () => Promise<void> }) {
  const app = useConsole();
  const { me } = useDesk();
  const [name, setName] = useState("");
  const [rights, setRights] = useState<ReadonlySet<string>>(new Set());
  const [bot, setBot] = useState(false);
  const [made, setMade] = useState<string | null>(null);
  const submit = useSubmit();
  if (made !== null) {
    return (
      <Dialog title={t("keys.made")} onClose={onClose} testid="key-dialog">
        <div class="dialog-form">
          <p>{t("keys.made_text")}</p>
          <div class="snippet">
            <code data-testid="new-key">{made}</code>
            <Button size="small" icon="copy" label={t("copy")} onClick={() => void app.copy(made)}>
              {t("copy")}
            </Button>
          </div>
          <DialogFoot action={t("done")} onAction={onClose} />
        </div>
      </Dialog>
    );
  }
  return (
    <Dialog title={t("keys.add")} onClose={onClose} testid="key-dialog" middle>
      <form
        class="dialog-form"
        onSubmit={(event) => {
          event.preventDefault();
          void submit
            .run(async () => {
              const key = await app.api.addKey({ name: name.trim(), rights: [...rights], ...(bot ? { bot } : {}) });
              setMade(key.key);
            })
            .then((done) => (done ? onDone() : undefined));
        }}
      >
        <TextField label={t("keys.name")} help={t("keys.name_help")} required value={name} onInput={setName} error={submit.errorOf("name")} autofocus testid="key-name" />
        <Checkbox label={t("keys.bot")} help={t("keys.bot_help")} checked={bot} onChange={setBot} />
        <RightsFields all={me.rights} own={new Set(me.rights)} chosen={rights} onChange={setRights} error={submit.errorOf("rights")} />
        <FormError submit={submit} />
        <DialogFoot onCancel={onClose} action={t("keys.add")} busy={submit.busy} disabled={rights.size === 0 || name.trim() === ""} testid="key-submit" />
      </form>
    </Dialog>
  );
}
