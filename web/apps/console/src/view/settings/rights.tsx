// Roles: sets of rights with a name. Those every account begins with are marked; the owner's stays as
// it is. Nobody gives a right they do not have.
import { localText } from "@frontdesk/i18n";
import { useState } from "preact/hooks";
import type { Person, Role, Texts } from "../../model/api";
import { beyond } from "../../model/rights";
import { useConsole, useDesk } from "../context";
import { Button } from "../parts/controls";
import { Icon } from "../parts/icon";
import { locale, t } from "../text";
import { Confirm } from "./confirm";
import { SaveBar, useDraft } from "./form";
import { LanguageFields, tidyTexts } from "./languages";
import { Card, FormError, Load, Page, useSubmit } from "./page";
import { RightsFields } from "./rights-fields";

const newRole = "new";

export function RightsPage({ item }: { readonly item: string | null }) {
  const app = useConsole();
  const { rights } = useDesk();
  const read = async () => ({ ...(await app.api.roles()), people: rights.has("settings.users") ? await app.api.people() : null });
  return (
    <Load read={read}>
      {({ value: { roles, rights: all, people }, reload }) => {
        const role = roles.find((known) => known.id === item);
        if (item === newRole || role !== undefined) return <RoleForm key={item} role={role ?? null} all={all} people={people} onDone={reload} />;
        return (
          <Page
            title={t("settings.rights")}
            lead={t("rights.lead")}
            action={
              <Button kind="primary" icon="plus" testid="add-role" onClick={() => app.go({ page: "settings", section: "rights", item: newRole })}>
                {t("rights.add")}
              </Button>
            }
          >
            <Card>
              <ul class="lines">
                {roles.map((known) => (
                  <li key={known.id}>
                    <a class="line line-link" href={`#/settings/rights/${known.id}`} data-testid="role">
                      <Icon name="shield" />
                      <span class="line-text">
                        <span>
                          {localText(known.names, locale())} {known.builtin ? <span class="tag">{t("rights.default")}</span> : null}
                        </span>
                        <span class="meta">
                          {known.rights.length === all.length ? t("rights.everything") : t("keys.rights", { count: known.rights.length })}
                          {people !== null && ` · ${t("rights.people", { count: people.filter((person) => person.role === known.id).length })}`}
                        </span>
                      </span>
                      <Icon name="chevron-right" />
                    </a>
                  </li>
                ))}
              </ul>
            </Card>
          </Page>
        );
      }}
    </Load>
  );
}

type FormProps = { readonly role: Role | null; readonly all: readonly string[]; readonly people: readonly Person[] | null; readonly onDone: () => Promise<void> };
type RoleDraft = { readonly names: Texts; readonly rights: readonly string[] };

function RoleForm({ role, all, people, onDone }: FormProps) {
  const app = useConsole();
  const { me } = useDesk();
  const own = new Set(me.rights);
  const ordered = (rights: Iterable<string>) => {
    const chosen = new Set(rights);
    return all.filter((right) => chosen.has(right));
  };
  const saved: RoleDraft = { names: role?.names ?? {}, rights: ordered(role?.rights ?? []) };
  const draft = useDraft(saved);
  const submit = useSubmit();
  const [removing, setRemoving] = useState(false);
  const fixed = role?.builtin === "owner";
  const above = role !== null && beyond(role.rights, own).length > 0;
  const locked = fixed || above;
  const having = people?.filter((person) => person.role === role?.id) ?? [];
  const names = tidyTexts(draft.value.names);
  const save = async () => {
    const body = { names, rights: draft.value.rights };
    const done = role === null ? await app.api.addRole(body) : await app.api.changeRole(role.id, body);
    draft.reset(role === null ? saved : { names: done.names, rights: ordered(done.rights) });
    await onDone();
    if (role !== null && role.id === having.find((person) => person.id === me.id)?.role) await app.account.load();
  };
  const list = () => app.go({ page: "settings", section: "rights", item: null });
  return (
    <Page
      crumb={{ href: "#/settings/rights", text: t("rights.all") }}
      title={role === null ? t("rights.add") : localText(role.names, locale())}
      lead={role === null ? t("rights.add_lead") : having.length === 0 ? t("rights.nobody") : t("rights.having", { names: new Intl.ListFormat(locale(), { type: "conjunction" }).format(having.map((person) => person.display_name)) })}
      {...(role !== null && !role.builtin && !locked
        ? {
            action: (
              <Button kind="danger" icon="trash-2" testid="remove-role" onClick={() => setRemoving(true)}>
                {t("remove")}
              </Button>
            ),
          }
        : {})}
    >
      {locked && (
        <p class="form-note" role="note">
          <Icon name="lock" />
          {fixed ? t("rights.owner_fixed") : t("rights.above")}
        </p>
      )}
      {role?.builtin && !locked ? (
        <p class="form-note" role="note">
          <Icon name="circle-help" />
          {t("rights.default_text")}
        </p>
      ) : null}
      <form
        class="cards"
        onSubmit={(event) => {
          event.preventDefault();
          void submit.run(save).then((done) => {
            if (done && role === null) list();
          });
        }}
      >
        {!locked && (
          <Card title={t("rights.name")}>
            <div class="form">
              <LanguageFields label={t("rights.name")} value={draft.value.names} onChange={(value) => draft.set({ names: value })} error={submit.errorOf("names")} required testid="role-name" />
            </div>
          </Card>
        )}
        <Card title={t("rights.may")}>
          <RightsFields all={all} own={own} chosen={new Set(draft.value.rights)} locked={locked} error={submit.errorOf("rights")} onChange={(chosen) => draft.set({ rights: ordered(chosen) })} />
        </Card>
        <FormError submit={submit} />
        {!locked && <SaveBar draft={draft} submit={submit} disabled={Object.keys(names).length === 0} testid="role-save" />}
      </form>
      {removing && role !== null && (
        <Confirm
          title={t("rights.remove")}
          text={having.length > 0 ? t("rights.remove_in_use", { count: having.length }) : t("rights.remove_text", { name: localText(role.names, locale()) })}
          action={t("remove")}
          run={async () => {
            await app.api.removeRole(role.id);
            await onDone();
            list();
          }}
          onClose={() => setRemoving(false)}
        />
      )}
    </Page>
  );
}
