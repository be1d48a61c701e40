// Adding, changing and re-keying a person.
import { localText } from "@frontdesk/i18n";
import { useState } from "preact/hooks";
import type { Invitation, Person, Role, Team } from "../../model/api";
import { parseSkills, skillsProblem } from "../../model/intent-settings";
import { beyond } from "../../model/rights";
import { same } from "../../model/same";
import { useConsole, useDesk } from "../context";
import { Button, Checkbox, SelectField, TextField } from "../parts/controls";
import { Dialog, DialogFoot } from "../parts/overlay";
import { locale, t } from "../text";
import { PasswordField, newPassword } from "./fields";
import { FormError, useSubmit } from "./page";

export const passwordMin = 8;

/** Everything the page of people reads at once. */
export type Household = { readonly people: readonly Person[]; readonly roles: readonly Role[]; readonly teams: readonly Team[]; readonly invitations: readonly Invitation[] };

export function roleText(roles: readonly Role[], id: string): string {
  const role = roles.find((known) => known.id === id);
  return role === undefined ? id : localText(role.names, locale());
}

/** The roles somebody may give: none with a right they lack. The one a person has stays in the list. */
export function useRoleChoices(roles: readonly Role[], current: string | null) {
  const { me } = useDesk();
  const own = new Set(me.rights);
  return roles.filter((role) => role.id === current || beyond(role.rights, own).length === 0).map((role) => ({ value: role.id, label: localText(role.names, locale()) }));
}

export function agentRole(roles: readonly Role[]): string {
  return roles.find((role) => role.builtin === "agent")?.id ?? roles[0]?.id ?? "";
}

export function TeamChoices({ teams, chosen, onChange }: { readonly teams: readonly Team[]; readonly chosen: readonly string[]; readonly onChange: (teams: readonly string[]) => void }) {
  if (teams.length === 0) return null;
  return (
    <fieldset class="choices">
      <legend>{t("people.teams")}</legend>
      {teams.map((team) => (
        <Checkbox key={team.id} label={localText(team.names, locale())} checked={chosen.includes(team.id)} onChange={(checked) => onChange(checked ? [...chosen, team.id] : chosen.filter((id) => id !== team.id))} />
      ))}
    </fieldset>
  );
}

/** Skills as words between commas, with what the server says of them. */
function SkillsField({ value, onInput, error }: { readonly value: string; readonly onInput: (value: string) => void; readonly error: string | null }) {
  const problem = skillsProblem(parseSkills(value));
  return <TextField label={t("people.skills")} help={t("people.skills_help")} optional={t("optional")} placeholder={t("skills.placeholder")} value={value} onInput={onInput} error={problem === null ? error : t(`skills.${problem}`)} testid="person-skills" />;
}

type FormProps = { readonly household: Household; readonly onClose: () => void; readonly onDone: () => Promise<void> };

export function AddPerson({ household, onClose, onDone }: FormProps) {
  const app = useConsole();
  const [name, setName] = useState("");
  const [email, setEmail] = useState("");
  const [password, setPassword] = useState("");
  const [role, setRole] = useState(agentRole(household.roles));
  const [teams, setTeams] = useState<readonly string[]>([]);
  const [skills, setSkills] = useState("");
  const submit = useSubmit();
  const choices = useRoleChoices(household.roles, null);
  return (
    <Dialog title={t("people.add")} onClose={onClose} testid="person-dialog">
      <form
        class="dialog-form"
        onSubmit={(event) => {
          event.preventDefault();
          void submit.run(() => app.api.addPerson({ display_name: name.trim(), email: email.trim(), password, role, teams, skills: parseSkills(skills), language: locale() })).then(async (done) => {
            if (!done) return;
            await onDone();
            onClose();
          });
        }}
      >
        <p class="meta">{t("people.add_text")}</p>
        <TextField label={t("people.name")} help={t("people.name_help")} required maxlength={100} value={name} onInput={setName} error={submit.errorOf("display_name")} autofocus testid="person-name" />
        <TextField label={t("email")} type="email" required value={email} onInput={setEmail} error={submit.errorOf("email")} testid="person-email" />
        <PasswordField label={t("people.password")} help={t("people.password_help")} autocomplete="new-password" minlength={passwordMin} value={password} onInput={setPassword} error={submit.errorOf("password")} testid="person-new-password" />
        <SelectField label={t("people.role")} value={role} choices={choices} onChange={setRole} error={submit.errorOf("role")} testid="person-role" />
        <TeamChoices teams={household.teams} chosen={teams} onChange={setTeams} />
        <SkillsField value={skills} onInput={setSkills} error={submit.errorOf("skills")} />
        <FormError submit={submit} />
        <DialogFoot onCancel={onClose} action={t("people.add")} busy={submit.busy} testid="person-submit" />
      </form>
    </Dialog>
  );
}

export function EditPerson({ person, own, household, onClose, onDone }: FormProps & { readonly person: Person; readonly own: boolean }) {
  const app = useConsole();
  const [name, setName] = useState(person.display_name);
  const [role, setRole] = useState(person.role);
  const [capacity, setCapacity] = useState(person.capacity === null || person.capacity === undefined ? "" : String(person.capacity));
  const [teams, setTeams] = useState(person.teams);
  const [words, setWords] = useState(person.skills.join(", "));
  const skills = parseSkills(words);
  const submit = useSubmit();
  const choices = useRoleChoices(household.roles, person.role);
  const save = () =>
    app.api.changePerson(person.id, {
      ...(name.trim() === person.display_name ? {} : { display_name: name.trim() }),
      ...(role === person.role ? {} : { role }),
      capacity: capacity === "" ? null : Number(capacity),
      ...(same(skills, person.skills) ? {} : { skills }),
      ...(teams === person.teams ? {} : { teams }),
    });
  return (
    <Dialog title={t("people.edit", { name: person.display_name })} onClose={onClose} testid="person-dialog">
      <form
        class="dialog-form"
        onSubmit={(event) => {
          event.preventDefault();
          void submit.run(save).then(async (done) => {
            if (!done) return;
            await onDone();
            if (own) await app.account.load();
            onClose();
          });
        }}
      >
        <TextField label={t("people.name")} help={t("people.name_help")} required maxlength={100} value={name} onInput={setName} error={submit.errorOf("display_name")} autofocus testid="person-name" />
        <SelectField label={t("people.role")} value={role} choices={choices} onChange={setRole} disabled={own} help={own ? t("people.own_role") : undefined} error={submit.errorOf("role")} testid="person-role" />
        <TextField label={t("people.capacity")} help={t("people.capacity_help")} type="number" value={capacity} onInput={setCapacity} placeholder={t("people.capacity_default")} error={submit.errorOf("capacity")} testid="person-capacity" />
        <TeamChoices teams={household.teams} chosen={teams} onChange={setTeams} />
        <SkillsField value={words} onInput={setWords} error={submit.errorOf("skills")} />
        <FormError submit={submit} />
        <DialogFoot onCancel={onClose} action={t("save")} busy={submit.busy} testid="person-submit" />
      </form>
    </Dialog>
  );
}

/** A new password for somebody who lost theirs: made up here, shown once, handed over by hand. */
export function ResetPassword({ person, onClose }: { readonly person: Person; readonly onClose: () => void }) {
  const app = useConsole();
  const [password, setPassword] = useState(newPassword);
  const [done, setDone] = useState(false);
  const submit = useSubmit();
  return (
    <Dialog title={t("people.reset_named", { name: person.display_name })} onClose={onClose} testid="password-dialog">
      {done ? (
        <div class="dialog-form">
          <p>{t("people.reset_done", { name: person.display_name })}</p>
          <div class="snippet">
            <code data-testid="reset-password">{password}</code>
            <Button size="small" icon="copy" label={t("copy")} onClick={() => void app.copy(password)}>
              {t("copy")}
            </Button>
          </div>
          <DialogFoot action={t("done")} onAction={onClose} />
        </div>
      ) : (
        <form
          class="dialog-form"
          onSubmit={(event) => {
            event.preventDefault();
            void submit.run(() => app.api.resetPassword(person.id, password)).then((reset) => setDone(reset));
          }}
        >
          <p>{t("people.reset_text", { name: person.display_name })}</p>
          <PasswordField label={t("profile.password_new")} help={t("set_up.password_help")} autocomplete="off" minlength={passwordMin} value={password} onInput={setPassword} error={submit.errorOf("password")} testid="person-new-password" />
          <FormError submit={submit} />
          <DialogFoot onCancel={onClose} action={t("people.reset")} busy={submit.busy} testid="password-submit" />
        </form>
      )}
    </Dialog>
  );
}
