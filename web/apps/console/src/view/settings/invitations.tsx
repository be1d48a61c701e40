// Inviting colleagues by a link: the form, the link once it is made, and the invitations still open.
import { LOCALES, LOCALE_NAMES, dateOf, localText } from "@frontdesk/i18n";
import { useState } from "preact/hooks";
import type { Invitation, InvitationMade, Role, Team } from "../../model/api";
import { useConsole } from "../context";
import { Avatar } from "../parts/avatar";
import { Button, SelectField, TextField } from "../parts/controls";
import { Dialog, DialogFoot } from "../parts/overlay";
import { locale, t } from "../text";
import { Confirm } from "./confirm";
import { Card, FormError, useSubmit } from "./page";
import type { Household } from "./person-forms";
import { TeamChoices, agentRole, roleText, useRoleChoices } from "./person-forms";

type FormProps = { readonly roles: readonly Role[]; readonly teams: readonly Team[]; readonly onMade: (made: InvitationMade, email: string) => void; readonly onCancel?: () => void };

export function InviteForm({ roles, teams, onMade, onCancel }: FormProps) {
  const app = useConsole();
  const [email, setEmail] = useState("");
  const [name, setName] = useState("");
  const [role, setRole] = useState(agentRole(roles));
  const [chosen, setChosen] = useState<readonly string[]>([]);
  const [language, setLanguage] = useState<string>(locale());
  const submit = useSubmit();
  const choices = useRoleChoices(roles, null);
  return (
    <form
      class="dialog-form"
      onSubmit={(event) => {
        event.preventDefault();
        const body = { email: email.trim(), ...(name.trim() === "" ? {} : { display_name: name.trim() }), role, teams: chosen, language };
        void submit.run(async () => onMade(await app.api.invite(body), email.trim()), { silent: true });
      }}
    >
      <TextField label={t("email")} help={t("invite.email_help")} type="email" required value={email} onInput={setEmail} error={submit.errorOf("email")} testid="invite-email" autofocus />
      <TextField label={t("people.name")} optional={t("optional")} maxlength={100} value={name} onInput={setName} error={submit.errorOf("display_name")} testid="invite-name" />
      <div class="form-row">
        <SelectField label={t("people.role")} value={role} choices={choices} onChange={setRole} error={submit.errorOf("role")} testid="invite-role" />
        <SelectField label={t("language")} value={language} choices={LOCALES.map((value) => ({ value, label: LOCALE_NAMES[value] }))} onChange={setLanguage} error={submit.errorOf("language")} testid="invite-language" />
      </div>
      <TeamChoices teams={teams} chosen={chosen} onChange={setChosen} />
      <FormError submit={submit} />
      <DialogFoot onCancel={onCancel} action={t("invite.make")} icon="link" busy={submit.busy} testid="invite-submit" />
    </form>
  );
}

/** The link, which the server tells this once. */
export function InvitationLink({ made, email }: { readonly made: InvitationMade; readonly email: string }) {
  const app = useConsole();
  return (
    <>
      <p class="invite-text">{t("invite.made_text", { email, date: dateOf(made.expires_at_ms, app.now.value, locale()).replace(/ /g, "\u00a0") })}</p>
      <div class="snippet">
        <code data-testid="invite-link">{made.url}</code>
        <Button size="small" icon="copy" label={t("inboxes.copy_link")} testid="copy-invite" onClick={() => void app.copy(made.url)}>
          {t("copy")}
        </Button>
      </div>
    </>
  );
}

export function InviteDialog({ household, onClose, onDone }: { readonly household: Household; readonly onClose: () => void; readonly onDone: () => Promise<void> }) {
  const [made, setMade] = useState<{ readonly made: InvitationMade; readonly email: string } | null>(null);
  return (
    <Dialog title={made === null ? t("invite.title") : t("invite.made")} onClose={onClose} testid="invite-dialog">
      {made === null ? (
        <InviteForm
          roles={household.roles}
          teams={household.teams}
          onCancel={onClose}
          onMade={(invitation, email) => {
            setMade({ made: invitation, email });
            void onDone();
          }}
        />
      ) : (
        <div class="dialog-form">
          <InvitationLink {...made} />
          <footer class="dialog-foot">
            <Button onClick={() => setMade(null)}>{t("invite.another")}</Button>
            <Button kind="primary" testid="invite-done" onClick={onClose}>
              {t("done")}
            </Button>
          </footer>
        </div>
      )}
    </Dialog>
  );
}

export function Invitations({ household, onDone }: { readonly household: Household; readonly onDone: () => Promise<void> }) {
  const app = useConsole();
  const submit = useSubmit();
  const [withdrawing, setWithdrawing] = useState<Invitation | null>(null);
  const [renewed, setRenewed] = useState<{ readonly made: InvitationMade; readonly email: string } | null>(null);
  const now = app.now.value;
  /** A link is told once: a lost one is replaced by another, which ends the first. */
  const renew = (invitation: Invitation) =>
    submit.run(
      async () => {
        const { email, role, teams, language, display_name: name } = invitation;
        setRenewed({ made: await app.api.invite({ email, role, teams, language, ...(name ? { display_name: name } : {}) }), email });
        await onDone();
      },
      { silent: true },
    );
  if (household.invitations.length === 0 && renewed === null) return null;
  return (
    <Card title={t("invite.open")} text={t("invite.open_text")}>
      <ul class="lines">
        {household.invitations.map((invitation) => (
          <li key={invitation.id} class="line" data-testid="invitation">
            <Avatar id={invitation.email} name="" icon="mail" />
            <span class="line-text">
              <span>{invitation.display_name ? `${invitation.display_name} · ${invitation.email}` : invitation.email}</span>
              <span class="meta">
                {[roleText(household.roles, invitation.role), ...household.teams.filter((team) => invitation.teams.includes(team.id)).map((team) => localText(team.names, locale())), t("invite.until", { date: dateOf(invitation.expires_at_ms, now, locale()) })].join(" · ")}
              </span>
            </span>
            <Button size="small" icon="link" busy={submit.busy} testid="renew-invitation" onClick={() => void renew(invitation)}>
              {t("invite.renew")}
            </Button>
            <Button size="small" kind="quiet" icon="trash-2" label={t("invite.withdraw_named", { email: invitation.email })} testid="withdraw-invitation" onClick={() => setWithdrawing(invitation)} />
          </li>
        ))}
      </ul>
      <FormError submit={submit} />
      {renewed !== null && (
        <Dialog title={t("invite.made")} onClose={() => setRenewed(null)} testid="invite-dialog">
          <div class="dialog-form">
            <InvitationLink {...renewed} />
            <DialogFoot action={t("done")} testid="invite-done" onAction={() => setRenewed(null)} />
          </div>
        </Dialog>
      )}
      {withdrawing !== null && (
        <Confirm
          title={t("invite.withdraw")}
          text={t("invite.withdraw_text", { email: withdrawing.email })}
          action={t("invite.withdraw")}
          run={async () => {
            await app.api.withdrawInvitation(withdrawing.id);
            await onDone();
          }}
          onClose={() => setWithdrawing(null)}
        />
      )}
    </Card>
  );
}
