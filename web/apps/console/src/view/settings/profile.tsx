import { LOCALES, LOCALE_NAMES, pickLocale, relativeTime } from "@frontdesk/i18n";
import { useState } from "preact/hooks";
import { themes } from "../../model/preferences";
import { useConsole, useDesk } from "../context";
import { Button, SelectField, TextField } from "../parts/controls";
import { Icon } from "../parts/icon";
import { locale, t } from "../text";
import { Card, FormError, Load, Page, useSubmit } from "./page";

export function Profile() {
  return (
    <Page title={t("settings.profile")} lead={t("profile.lead")}>
      <NameCard />
      <LooksCard />
      <PasswordCard />
      <SessionsCard />
    </Page>
  );
}

function NameCard() {
  const app = useConsole();
  const { me } = useDesk();
  const [name, setName] = useState(me.display_name);
  const submit = useSubmit();
  return (
    <Card title={t("profile.name_title")} text={t("profile.name_text")}>
      <form
        class="form"
        onSubmit={(event) => {
          event.preventDefault();
          void submit.run(async () => app.account.updated(await app.api.changeMe({ display_name: name.trim() })));
        }}
      >
        <TextField label={t("profile.display_name")} required value={name} onInput={setName} error={submit.errorOf("display_name")} testid="profile-name" />
        <TextField label={t("email")} type="email" value={me.email} onInput={() => undefined} disabled />
        <FormError submit={submit} />
        <Button type="submit" kind="primary" busy={submit.busy} disabled={name.trim() === "" || name.trim() === me.display_name}>
          {t("save")}
        </Button>
      </form>
    </Card>
  );
}

function LooksCard() {
  const app = useConsole();
  return (
    <Card title={t("profile.looks")} text={t("profile.looks_text")}>
      <div class="form form-row">
        <SelectField label={t("language")} value={locale()} choices={LOCALES.map((value) => ({ value, label: LOCALE_NAMES[value] }))} onChange={(value) => app.chooseLanguage(pickLocale(value))} testid="profile-language" />
        <SelectField label={t("profile.theme")} value={app.preferences.theme.value} choices={themes.map((value) => ({ value, label: t(`theme.${value}`) }))} onChange={(value) => (app.preferences.theme.value = themes.find((theme) => theme === value) ?? "system")} testid="profile-theme" />
      </div>
    </Card>
  );
}

function PasswordCard() {
  const app = useConsole();
  const [current, setCurrent] = useState("");
  const [next, setNext] = useState("");
  const submit = useSubmit();
  return (
    <Card title={t("profile.password")} text={t("profile.password_text")}>
      <form
        class="form"
        onSubmit={(event) => {
          event.preventDefault();
          void submit.run(() => app.api.changePassword(current, next)).then((done) => {
            if (!done) return;
            setCurrent("");
            setNext("");
          });
        }}
      >
        <TextField label={t("profile.password_current")} type="password" autocomplete="current-password" required value={current} onInput={setCurrent} error={submit.errorOf("current")} />
        <TextField label={t("profile.password_new")} help={t("set_up.password_help")} type="password" autocomplete="new-password" required minlength={8} value={next} onInput={setNext} error={submit.errorOf("password")} />
        <FormError submit={submit} />
        <Button type="submit" busy={submit.busy} disabled={current === "" || next === ""}>
          {t("profile.password_change")}
        </Button>
      </form>
    </Card>
  );
}

function SessionsCard() {
  const app = useConsole();
  const submit = useSubmit();
  return (
    <Card title={t("profile.sessions")} text={t("profile.sessions_text")}>
      <Load read={() => app.api.loginSessions()}>
        {({ value, reload }) => (
          <ul class="lines">
            {value.map((login) => (
              <li key={login.handle} class="line">
                <Icon name="monitor" />
                <span class="line-text">
                  <span>{browserName(login.user_agent)}</span>
                  <span class="meta">{login.current ? t("profile.this_browser") : t("profile.seen", { time: relativeTime(login.seen_at_ms, app.now.value, locale()) })}</span>
                </span>
                {!login.current && (
                  <Button size="small" busy={submit.busy} onClick={() => void submit.run(() => app.api.endLoginSession(login.handle)).then(reload)}>
                    {t("profile.end_session")}
                  </Button>
                )}
              </li>
            ))}
          </ul>
        )}
      </Load>
      <FormError submit={submit} />
    </Card>
  );
}

/** "Firefox on Linux" out of a user agent; the whole text where it says nothing known. */
function browserName(agent: string): string {
  const browser = ["Edg", "OPR", "Firefox", "Chrome", "Safari"].find((name) => agent.includes(`${name}/`));
  const system = ["Windows", "Android", "iPhone", "iPad", "Mac OS X", "Linux"].find((name) => agent.includes(name));
  const shown = { Edg: "Edge", OPR: "Opera", "Mac OS X": "macOS" } as Readonly<Record<string, string>>;
  if (browser === undefined || system === undefined) return agent === "" ? t("profile.unknown_browser") : agent.slice(0, 80);
  return t("profile.browser_on", { browser: shown[browser] ?? browser, system: shown[system] ?? system });
}
