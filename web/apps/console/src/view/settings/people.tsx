import { localText } from "@frontdesk/i18n";
import { useState } from "preact/hooks";
import type { Person, Role } from "../../model/api";
import { useConsole, useDesk } from "../context";
import { Avatar } from "../parts/avatar";
import { Button, Checkbox, SelectField, TextField } from "../parts/controls";
import { Dialog } from "../parts/overlay";
import { locale, t } from "../text";
import { Card, FormError, Load, Page, useSubmit } from "./page";

type Editing = { readonly kind: "new" } | { readonly kind: "person"; readonly person: Person } | null;

export function People() {
  const app = useConsole();
  const { me } = useDesk();
  const [editing, setEditing] = useState<Editing>(null);
  return (
    <Load read={async () => ({ people: await app.api.people(), roles: await app.api.roles() })}>
      {({ value: { people, roles }, reload }) => (
        <Page
          title={t("settings.people")}
          lead={t("people.lead")}
          action={
            <Button kind="primary" icon="plus" testid="add-person" onClick={() => setEditing({ kind: "new" })}>
              {t("people.add")}
            </Button>
          }
        >
          <Card>
            <div class="table-scroll" tabIndex={0} role="region" aria-label={t("settings.people")}>
              <table class="table">
                <thead>
                  <tr>
                    <th scope="col">{t("people.name")}</th>
                    <th scope="col">{t("people.role")}</th>
                    <th scope="col" class="number">{t("people.capacity")}</th>
                    <th scope="col">{t("people.state")}</th>
                    <th scope="col">
                      <span class="visually-hidden">{t("edit")}</span>
                    </th>
                  </tr>
                </thead>
                <tbody>
                  {people.map((person) => (
                    <tr key={person.id} class={person.disabled ? "row-off" : ""}>
                      <td>
                        <span class="person">
                          <Avatar id={person.id} name={person.display_name} size="small" />
                          <span>
                            <span class="person-name">{person.display_name}</span>
                            <span class="meta">{person.email}</span>
                          </span>
                        </span>
                      </td>
                      <td>{roleText(roles, person.role)}</td>
                      <td class="number">{person.capacity ?? t("people.capacity_default")}</td>
                      <td>{person.disabled ? <span class="tag tag-danger">{t("people.disabled")}</span> : <span class="tag tag-ok">{t("people.active")}</span>}</td>
                      <td class="number">
                        <Button size="small" kind="quiet" icon="pencil" label={t("people.edit", { name: person.display_name })} onClick={() => setEditing({ kind: "person", person })} />
                      </td>
                    </tr>
                  ))}
                </tbody>
              </table>
            </div>
          </Card>
          {editing?.kind === "new" && <AddPerson roles={roles} onClose={() => setEditing(null)} onDone={reload} />}
          {editing?.kind === "person" && <EditPerson person={editing.person} own={editing.person.id === me.id} roles={roles} onClose={() => setEditing(null)} onDone={reload} />}
        </Page>
      )}
    </Load>
  );
}

function roleText(roles: readonly Role[], id: string): string {
  const role = roles.find((known) => known.id === id);
  return role === undefined ? id : localText(role.names, locale());
}

function roleChoices(roles: readonly Role[]) {
  return roles.map((role) => ({ value: role.id, label: localText(role.names, locale()) }));
}

function AddPerson({ roles, onClose, onDone }: { readonly roles: readonly Role[]; readonly onClose: () => void; readonly onDone: () => Promise<void> }) {
  const app = useConsole();
  const [name, setName] = useState("");
  const [email, setEmail] = useState("");
  const [password, setPassword] = useState("");
  const [role, setRole] = useState(roles.find((known) => known.builtin === "agent")?.id ?? roles[0]?.id ?? "");
  const submit = useSubmit();
  return (
    <Dialog title={t("people.add")} onClose={onClose} testid="person-dialog">
      <form
        class="dialog-form"
        onSubmit={(event) => {
          event.preventDefault();
          void submit.run(() => app.api.addPerson({ display_name: name.trim(), email: email.trim(), password, role, language: locale() })).then(async (done) => {
            if (!done) return;
            await onDone();
            onClose();
          });
        }}
      >
        <TextField label={t("people.name")} help={t("people.name_help")} required value={name} onInput={setName} error={submit.errorOf("display_name")} autofocus testid="person-name" />
        <TextField label={t("email")} type="email" required value={email} onInput={setEmail} error={submit.errorOf("email")} testid="person-email" />
        <TextField label={t("people.password")} help={t("people.password_help")} type="password" autocomplete="new-password" required minlength={8} value={password} onInput={setPassword} error={submit.errorOf("password")} testid="person-password" />
        <SelectField label={t("people.role")} value={role} choices={roleChoices(roles)} onChange={setRole} testid="person-role" />
        <FormError submit={submit} />
        <footer class="dialog-foot">
          <Button onClick={onClose}>{t("cancel")}</Button>
          <Button type="submit" kind="primary" busy={submit.busy} testid="person-submit">
            {t("people.add")}
          </Button>
        </footer>
      </form>
    </Dialog>
  );
}

function EditPerson({ person, own, roles, onClose, onDone }: { readonly person: Person; readonly own: boolean; readonly roles: readonly Role[]; readonly onClose: () => void; readonly onDone: () => Promise<void> }) {
  const app = useConsole();
  const [role, setRole] = useState(person.role);
  const [capacity, setCapacity] = useState(person.capacity === null ? "" : String(person.capacity));
  const [disabled, setDisabled] = useState(person.disabled);
  const submit = useSubmit();
  return (
    <Dialog title={person.display_name} onClose={onClose} testid="person-dialog">
      <form
        class="dialog-form"
        onSubmit={(event) => {
          event.preventDefault();
          void submit.run(() => app.api.changePerson(person.id, { role, capacity: capacity === "" ? null : Number(capacity), disabled })).then(async (done) => {
            if (!done) return;
            await onDone();
            onClose();
          });
        }}
      >
        <SelectField label={t("people.role")} value={role} choices={roleChoices(roles)} onChange={setRole} disabled={own} help={own ? t("people.own_role") : undefined} />
        <TextField label={t("people.capacity")} help={t("people.capacity_help")} type="number" value={capacity} onInput={setCapacity} placeholder={t("people.capacity_default")} error={submit.errorOf("capacity")} />
        {!own && <Checkbox label={t("people.disable")} help={t("people.disable_help")} checked={disabled} onChange={setDisabled} />}
        <FormError submit={submit} />
        <footer class="dialog-foot">
          <Button onClick={onClose}>{t("cancel")}</Button>
          <Button type="submit" kind="primary" busy={submit.busy}>
            {t("save")}
          </Button>
        </footer>
      </form>
    </Dialog>
  );
}
