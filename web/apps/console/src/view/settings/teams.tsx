import { enumerated, localText } from "@frontdesk/i18n";
import { useState } from "preact/hooks";
import type { Person, Team, Texts } from "../../model/api";
import { useConsole, useDesk } from "../context";
import { Avatar } from "../parts/avatar";
import { Button, Checkbox } from "../parts/controls";
import { Dialog, DialogFoot } from "../parts/overlay";
import { Empty } from "../parts/states";
import { locale, t } from "../text";
import { Confirm } from "./confirm";
import { LanguageFields, tidyTexts } from "./languages";
import { Card, FormError, Load, Page, useSubmit } from "./page";

/** Whoever may change teams need not be able to change people. */
type Member = Pick<Person, "id" | "display_name">;

export function Teams() {
  const app = useConsole();
  const { inbox } = useDesk();
  const [editing, setEditing] = useState<Team | "new" | null>(null);
  const [removing, setRemoving] = useState<Team | null>(null);
  return (
    <Load read={async () => ({ teams: await app.api.teams(), people: (await app.api.agents()).map(({ id, name }) => ({ id, display_name: name })) })}>
      {({ value: { teams, people }, reload }) => {
        const changed = async () => {
          await reload();
          await inbox.loadDirectory();
        };
        return (
          <Page
            title={t("settings.teams")}
            lead={t("teams.lead")}
            action={
              <Button kind="primary" icon="plus" testid="add-team" onClick={() => setEditing("new")}>
                {t("teams.add")}
              </Button>
            }
          >
            {teams.length === 0 ? (
              <Empty icon="users" title={t("teams.none")}>
                <p>{t("teams.none_text")}</p>
              </Empty>
            ) : (
              <Card>
                <ul class="lines">
                  {teams.map((team) => (
                    <li key={team.id} class="line" data-testid="team">
                      <Avatar id={team.id} name="" icon="users" />
                      <span class="line-text">
                        <span>{localText(team.names, locale())}</span>
                        <span class="meta">{memberNames(team, people)}</span>
                      </span>
                      <Button size="small" kind="quiet" icon="pencil" label={t("edit_named", { name: localText(team.names, locale()) })} onClick={() => setEditing(team)} />
                      <Button size="small" kind="quiet" icon="trash-2" label={t("remove_named", { name: localText(team.names, locale()) })} onClick={() => setRemoving(team)} />
                    </li>
                  ))}
                </ul>
              </Card>
            )}
            {editing !== null && <EditTeam team={editing === "new" ? null : editing} people={people} onClose={() => setEditing(null)} onDone={changed} />}
            {removing !== null && (
              <Confirm
                title={t("teams.remove")}
                text={t("teams.remove_text", { name: localText(removing.names, locale()) })}
                action={t("remove")}
                run={async () => {
                  await app.api.removeTeam(removing.id);
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

function memberNames(team: Team, people: readonly Member[]): string {
  const names = team.members.map((id) => people.find((person) => person.id === id)?.display_name).filter((name) => name !== undefined);
  return names.length === 0 ? t("teams.nobody") : enumerated(names, locale());
}

function EditTeam({ team, people, onClose, onDone }: { readonly team: Team | null; readonly people: readonly Member[]; readonly onClose: () => void; readonly onDone: () => Promise<void> }) {
  const app = useConsole();
  const [names, setNames] = useState<Texts>(team?.names ?? {});
  const [members, setMembers] = useState<ReadonlySet<string>>(new Set(team?.members ?? []));
  const submit = useSubmit();
  const save = () => {
    const body = { names: tidyTexts(names), members: [...members] };
    return team === null ? app.api.addTeam(body) : app.api.changeTeam(team.id, body);
  };
  return (
    <Dialog title={team === null ? t("teams.add") : t("teams.edit")} onClose={onClose} testid="team-dialog">
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
        <LanguageFields label={t("teams.name")} value={names} onChange={setNames} error={submit.errorOf("names")} required testid="team-name" />
        <fieldset class="choices">
          <legend>{t("teams.members")}</legend>
          {people.map((person) => (
            <Checkbox
              key={person.id}
              label={person.display_name}
              checked={members.has(person.id)}
              onChange={(checked) => {
                const next = new Set(members);
                if (checked) next.add(person.id);
                else next.delete(person.id);
                setMembers(next);
              }}
            />
          ))}
        </fieldset>
        <FormError submit={submit} />
        <DialogFoot onCancel={onClose} action={t("save")} busy={submit.busy} testid="team-submit" />
      </form>
    </Dialog>
  );
}
