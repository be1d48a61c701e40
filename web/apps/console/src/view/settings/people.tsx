// People: who may sign in, as what, in which teams, and with how many conversations at once; and who
// has been invited and has not come yet.
import { enumerated, localText } from "@frontdesk/i18n";
import { useState } from "preact/hooks";
import type { Person } from "../../model/api";
import { useConsole, useDesk } from "../context";
import { Avatar } from "../parts/avatar";
import { Button } from "../parts/controls";
import { Menu } from "../parts/overlay";
import { locale, t } from "../text";
import { Confirm } from "./confirm";
import { InviteDialog, Invitations } from "./invitations";
import { Card, Load, Page, useAgain } from "./page";
import type { Household } from "./person-forms";
import { AddPerson, EditPerson, ResetPassword, roleText } from "./person-forms";

type Open = { readonly kind: "invite" } | { readonly kind: "add" } | { readonly kind: "edit" | "password" | "remove" | "disable"; readonly person: Person } | null;

const lookAgainMs = 10_000;

export function People() {
  const app = useConsole();
  const { me, inbox } = useDesk();
  const [open, setOpen] = useState<Open>(null);
  const read = async (): Promise<Household> => {
    const [people, { roles }, teams, invitations] = await Promise.all([app.api.people(), app.api.roles(), app.api.teams(), app.api.invitations()]);
    return { people, roles, teams, invitations };
  };
  const close = () => setOpen(null);
  return (
    <Load read={read}>
      {({ value: household, reload }) => {
        const changed = async () => {
          await reload();
          await inbox.loadDirectory();
        };
        return (
          <Page
            title={t("settings.people")}
            lead={t("people.lead")}
            action={
              <span class="page-actions">
                <Button icon="plus" testid="add-person" onClick={() => setOpen({ kind: "add" })}>
                  {t("people.add")}
                </Button>
                <Button kind="primary" icon="mail" testid="invite-person" onClick={() => setOpen({ kind: "invite" })}>
                  {t("people.invite")}
                </Button>
              </span>
            }
          >
            <Card>
              <div role="region" aria-label={t("settings.people")}>
                <table class="table table-stacks">
                  <thead>
                    <tr>
                      <th scope="col">{t("people.name")}</th>
                      <th scope="col">{t("people.role")}</th>
                      <th scope="col">{t("people.teams")}</th>
                      <th scope="col" class="number">
                        {t("people.capacity")}
                      </th>
                      <th scope="col">{t("people.state")}</th>
                      <th scope="col">
                        <span class="visually-hidden">{t("more")}</span>
                      </th>
                    </tr>
                  </thead>
                  <tbody>
                    {household.people.map((person) => (
                      <PersonRow key={person.id} person={person} own={person.id === me.id} household={household} onOpen={(kind) => setOpen({ kind, person })} />
                    ))}
                  </tbody>
                </table>
              </div>
            </Card>
            {household.invitations.length > 0 && <Again run={reload} />}
            <Invitations household={household} onDone={reload} />
            {open?.kind === "invite" && <InviteDialog household={household} onClose={close} onDone={reload} />}
            {open?.kind === "add" && <AddPerson household={household} onClose={close} onDone={changed} />}
            {open?.kind === "edit" && <EditPerson person={open.person} own={open.person.id === me.id} household={household} onClose={close} onDone={changed} />}
            {open?.kind === "password" && <ResetPassword person={open.person} onClose={close} />}
            {open?.kind === "disable" && (
              <Confirm
                title={open.person.disabled ? t("people.enable_named", { name: open.person.display_name }) : t("people.disable_named", { name: open.person.display_name })}
                text={open.person.disabled ? t("people.enable_help") : t("people.disable_help")}
                action={open.person.disabled ? t("people.enable") : t("people.disable")}
                run={async () => {
                  await app.api.changePerson(open.person.id, { disabled: !open.person.disabled });
                  await changed();
                }}
                onClose={close}
              />
            )}
            {open?.kind === "remove" && (
              <Confirm
                title={t("people.remove_named", { name: open.person.display_name })}
                text={t("people.remove_text", { name: open.person.display_name })}
                action={t("remove")}
                run={async () => {
                  await app.api.removePerson(open.person.id);
                  await changed();
                }}
                onClose={close}
              />
            )}
          </Page>
        );
      }}
    </Load>
  );
}

/** Who has an open invitation may join at any time. */
function Again({ run }: { readonly run: () => unknown }) {
  useAgain(run, lookAgainMs);
  return null;
}

type RowProps = { readonly person: Person; readonly own: boolean; readonly household: Household; readonly onOpen: (kind: "edit" | "password" | "remove" | "disable") => void };

function PersonRow({ person, own, household, onOpen }: RowProps) {
  const { inbox } = useDesk();
  const [menu, setMenu] = useState(false);
  const presence = person.disabled ? undefined : inbox.agents().find((agent) => agent.id === person.id)?.presence;
  const teams = household.teams.filter((team) => person.teams.includes(team.id)).map((team) => localText(team.names, locale()));
  return (
    <tr class={person.disabled ? "row-off" : ""} data-testid="person">
      <td>
        <span class="person">
          <Avatar id={person.id} name={person.display_name} presence={presence} />
          <span>
            <span class="person-name">{own ? t("details.you_named", { name: person.display_name }) : person.display_name}</span>
            <span class="meta">{person.email}</span>
            {person.skills.length > 0 && (
              <span class="person-skills" data-testid="person-skills-shown">
                <span class="visually-hidden">{t("people.skills_of")}</span>
                {person.skills.map((skill, at) => (
                  <span key={skill} class="person-skill">
                    {skill}
                    {at < person.skills.length - 1 && <span class="visually-hidden">, </span>}
                  </span>
                ))}
              </span>
            )}
          </span>
        </span>
      </td>
      <td data-label={t("people.role")}>{roleText(household.roles, person.role)}</td>
      <td data-label={t("people.teams")}>{teams.length === 0 ? <span class="meta">{t("people.no_team")}</span> : enumerated(teams, locale())}</td>
      <td class="number" data-label={t("people.capacity")}>
        {person.capacity ?? <span class="meta">{t("people.capacity_default")}</span>}
      </td>
      <td data-label={t("people.state")}>{person.disabled ? <span class="tag tag-danger">{t("people.disabled")}</span> : <span class="tag tag-ok">{t("people.active")}</span>}</td>
      <td class="row-menu">
        <span class="menu-anchor">
          <Button size="small" kind="quiet" icon="ellipsis" popup="menu" expanded={menu} label={t("people.menu", { name: person.display_name })} testid="person-menu" onClick={() => setMenu(!menu)} />
          {menu && (
            <Menu
              label={t("people.menu", { name: person.display_name })}
              align="end"
              onClose={() => setMenu(false)}
              items={[
                { key: "edit", label: t("edit"), icon: "pencil", testid: "person-edit", run: () => onOpen("edit") },
                ...(own
                  ? []
                  : [
                      { key: "password", label: t("people.reset"), icon: "key-round" as const, testid: "person-password", run: () => onOpen("password") },
                      { key: "disable", separated: true, label: person.disabled ? t("people.enable") : t("people.disable"), icon: person.disabled ? ("circle-check" as const) : ("circle-x" as const), testid: "person-disable", run: () => onOpen("disable") },
                      { key: "remove", label: t("remove"), icon: "trash-2" as const, testid: "person-remove", run: () => onOpen("remove") },
                    ]),
              ]}
            />
          )}
        </span>
      </td>
    </tr>
  );
}
