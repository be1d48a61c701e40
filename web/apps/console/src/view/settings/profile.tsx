import { LOCALES, LOCALE_NAMES, pickLocale, relativeTime } from "@frontdesk/i18n";
import { useState } from "preact/hooks";
import { avatarHues, avatarOf, hueOf } from "../../model/avatar";
import { themes } from "../../model/preferences";
import { useConsole, useDesk } from "../context";
import { Avatar } from "../parts/avatar";
import { Button, SelectField, TextField } from "../parts/controls";
import { Icon } from "../parts/icon";
import { locale, t } from "../text";
import { PasswordField, SwitchLine } from "./fields";
import { SaveBar, useDraft } from "./form";
import { Card, FormError, Load, Page, useSubmit } from "./page";
import { passwordMin } from "./person-forms";

export function Profile() {
  return (
    <Page title={t("settings.profile")} lead={t("profile.lead")}>
      <NameCard />
      <LooksCard />
      <SignalsCard />
      <PasswordCard />
      <SessionsCard />
    </Page>
  );
}

function NameCard() {
  const app = useConsole();
  const desk = useDesk();
  const state = app.account.state.value;
  const me = state.kind === "signed-in" ? state.me : desk.me;
  const draft = useDraft({ name: me.display_name, hue: hueOf(me.avatar) });
  const submit = useSubmit();
  const { name, hue } = draft.value;
  const save = async () => app.account.updated(await app.api.changeMe({ display_name: name.trim(), ...(me.avatar === undefined ? {} : { avatar: hue === null ? "" : avatarOf(hue) }) }));
  return (
    <Card title={t("profile.name_title")} text={t("profile.name_text")}>
      <form
        class="form"
        onSubmit={(event) => {
          event.preventDefault();
          void submit.run(save);
        }}
      >
        <div class="profile-name">
          <Avatar id={me.id} name={name.trim() === "" ? me.display_name : name} size="large" hue={hue} />
          <div class="form-row">
            <TextField label={t("profile.display_name")} required maxlength={100} value={name} onInput={(value) => draft.set({ name: value })} error={submit.errorOf("display_name")} testid="profile-name" />
            <TextField label={t("email")} type="email" value={me.email} onInput={() => undefined} disabled />
          </div>
        </div>
        {me.avatar !== undefined && <fieldset class="hues">
          <legend>{t("profile.colour")}</legend>
          {avatarHues.map((known) => (
            <label key={known} class={`hue hue-${known}`} title={t("profile.colour_numbered", { count: known + 1 })}>
              <input type="radio" name="hue" class="visually-hidden" checked={hue === known} aria-label={t("profile.colour_numbered", { count: known + 1 })} data-testid={`hue-${known}`} onChange={() => draft.set({ hue: known })} />
              {hue === known && <Icon name="check" />}
            </label>
          ))}
          {hue !== null && (
            <Button size="small" kind="quiet" onClick={() => draft.set({ hue: null })}>
              {t("profile.colour_own")}
            </Button>
          )}
          {submit.errorOf("avatar") !== null && <p class="field-error">{submit.errorOf("avatar")}</p>}
        </fieldset>}
        <FormError submit={submit} />
        <SaveBar draft={draft} submit={submit} disabled={name.trim() === ""} testid="profile-save" />
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

const signalNames = ["sound", "desktop", "title", "repeat_until_answered"] as const;

function SignalsCard() {
  const { signals } = useDesk();
  const submit = useSubmit();
  const choices = signals.choices.value;
  const change = async (name: (typeof signalNames)[number], on: boolean) => {
    // The browser asks only after a click, and this is one.
    if (name === "desktop" && on && signals.permission.value === "unasked") void signals.ask();
    await submit.run(() => signals.choose({ [name]: on }), { silent: true });
  };
  return (
    <Card title={t("signals.heading")} text={t("signals.lead")}>
      {signalNames.map((name) => (
        <SwitchLine key={name} label={t(`signals.${name}`)} help={t(`signals.${name}_help`)} checked={choices[name]} disabled={name === "repeat_until_answered" && !choices.sound} testid={`signal-${name}`} onChange={(on) => void change(name, on)} />
      ))}
      {choices.desktop && (signals.permission.value === "denied" || signals.permission.value === "unsupported") && (
        <p class="form-note" role="note">
          <Icon name="circle-alert" />
          {t("signals.denied")}
        </p>
      )}
      {choices.desktop && signals.permission.value === "unasked" && (
        <p>
          <Button size="small" icon="bell" testid="signal-ask" onClick={() => void signals.ask()}>
            {t("signals.ask")}
          </Button>
        </p>
      )}
      <FormError submit={submit} />
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
        <div class="form-row">
          <PasswordField label={t("profile.password_current")} autocomplete="current-password" value={current} onInput={setCurrent} error={submit.errorOf("current_password")} testid="password-current" />
          <PasswordField label={t("profile.password_new")} help={t("set_up.password_help")} autocomplete="new-password" minlength={passwordMin} value={next} onInput={setNext} error={submit.errorOf("password")} testid="password-new" />
        </div>
        <FormError submit={submit} />
        <Button type="submit" busy={submit.busy} disabled={current === "" || next === ""} testid="password-change">
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
