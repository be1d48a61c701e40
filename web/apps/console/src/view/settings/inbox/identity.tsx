// Identity verification: whether visitors have to prove who they are, the secrets a site signs with,
// and how to change one without shutting anybody out.
import { dateOf } from "@frontdesk/i18n";
import { useState } from "preact/hooks";
import type { IdentitySecret } from "../../../model/api";
import { identityModes } from "../../../model/api";
import { useConsole } from "../../context";
import { Button } from "../../parts/controls";
import { Icon } from "../../parts/icon";
import { Dialog, DialogFoot } from "../../parts/overlay";
import { locale, t } from "../../text";
import { Confirm } from "../confirm";
import { RadioCards } from "../fields";
import { SaveBar, useDraft } from "../form";
import { Card, FormError, useSubmit } from "../page";
import type { InboxPageProps } from "./pages";

/** One to sign with, one that is on its way out. */
const secretsMax = 2;

export function IdentityPage({ inbox, onDone }: InboxPageProps) {
  const app = useConsole();
  const draft = useDraft({ mode: inbox.identity.mode });
  const submit = useSubmit();
  const making = useSubmit();
  const [made, setMade] = useState<string | null>(null);
  const [removing, setRemoving] = useState<IdentitySecret | null>(null);
  const { mode } = draft.value;
  const { secrets } = inbox.identity;
  const blocked = mode === "required" && secrets.length === 0;
  const save = async () => {
    const changed = await app.api.changeInbox(inbox.id, { identity: { mode } });
    draft.reset({ mode: changed.identity.mode });
    await onDone(changed);
  };
  const make = () =>
    making.run(
      async () => {
        setMade((await app.api.addIdentitySecret(inbox.id)).secret);
        await onDone(null);
      },
      { silent: true },
    );
  return (
    <div class="cards">
      <form
        class="cards"
        onSubmit={(event) => {
          event.preventDefault();
          if (!blocked) void submit.run(save);
        }}
      >
        <Card title={t("identity.title")} text={t("identity.text")}>
          <RadioCards legend={t("identity.mode")} name="identity" value={mode} choices={identityModes.map((value) => ({ value, label: t(`identity.${value}`), help: t(`identity.${value}_help`) }))} onChange={(value) => draft.set({ mode: value })} />
          {blocked && (
            <p class="field-error" role="alert">
              <Icon name="circle-alert" size={14} />
              {t("identity.secret_first")}
            </p>
          )}
        </Card>
        <FormError submit={submit} />
        <SaveBar draft={draft} submit={submit} disabled={blocked} testid="inbox-save" />
      </form>
      <Card
        title={t("identity.secrets")}
        text={t("identity.secrets_text")}
        action={
          <Button size="small" icon="plus" busy={making.busy} disabled={secrets.length >= secretsMax} testid="add-secret" onClick={() => void make()}>
            {secrets.length === 0 ? t("identity.make") : t("identity.rotate")}
          </Button>
        }
      >
        {secrets.length === 0 ? (
          <p class="meta">{t("identity.no_secret")}</p>
        ) : (
          <ul class="lines">
            {secrets.map((secret) => (
              <li key={secret.id} class="line" data-testid="identity-secret">
                <Icon name="key-round" />
                <span class="line-text">
                  <code>…{secret.hint}</code>
                  <span class="meta">{t("keys.created", { date: dateOf(secret.created_at_ms, app.now.value, locale()) })}</span>
                </span>
                <Button size="small" kind="quiet" icon="trash-2" label={t("identity.remove", { hint: secret.hint })} onClick={() => setRemoving(secret)} />
              </li>
            ))}
          </ul>
        )}
        {secrets.length >= secretsMax && <p class="meta">{t("identity.two")}</p>}
        <FormError submit={making} />
      </Card>
      <Card title={t("identity.how")} text={t("identity.how_text")}>
        <pre class="code-block" tabIndex={0} aria-label={t("identity.how")}>
          <code>{example(inbox.inbox_key)}</code>
        </pre>
      </Card>
      {made !== null && (
        <Dialog title={t("identity.made")} onClose={() => setMade(null)} testid="secret-dialog">
          <div class="dialog-form">
            <p>{t("identity.made_text")}</p>
            <div class="snippet">
              <code data-testid="new-secret">{made}</code>
              <Button size="small" icon="copy" label={t("copy")} onClick={() => void app.copy(made)}>
                {t("copy")}
              </Button>
            </div>
            <DialogFoot action={t("done")} onAction={() => setMade(null)} />
          </div>
        </Dialog>
      )}
      {removing !== null && (
        <Confirm
          title={t("identity.remove", { hint: removing.hint })}
          text={secrets.length === 1 ? t("identity.remove_last") : t("identity.remove_text")}
          action={t("remove")}
          run={async () => {
            await app.api.removeIdentitySecret(inbox.id, removing.id);
            await onDone(null);
          }}
          onClose={() => setRemoving(null)}
        />
      )}
    </div>
  );
}

/** What a site's server signs, and how its page hands it over. */
function example(inboxKey: string): string {
  return `// On your server, with the secret:
const token = jwt.sign(
  { sub: user.id, name: user.name, email: user.email, aud: "${inboxKey}" },
  process.env.FRONTDESK_SECRET,
  { algorithm: "HS256", expiresIn: "1h" },
);

// In your page:
frontdesk("identify", token);`;
}
