import { LOCALE_NAMES, LOCALES } from "@frontdesk/i18n";
import { useState } from "preact/hooks";
import type { AccountState } from "../model/account";
import type { DemoUser } from "../model/api";
import { useConsole } from "./context";
import { failureText } from "./failure";
import { Button, TextField } from "./parts/controls";
import { Avatar } from "./parts/avatar";
import { Icon } from "./parts/icon";
import { InsecureBanner } from "./banners";
import { locale, t } from "./text";

export function Mark() {
  return (
    <span class="mark" aria-hidden="true">
      <Icon name="message-square-text" size={24} />
    </span>
  );
}

export function LanguageSwitch() {
  const app = useConsole();
  return (
    <footer class="language-switch">
      <span class="visually-hidden">{t("language")}</span>
      {LOCALES.map((name) => (
        <button key={name} type="button" lang={name} class="link-button" aria-pressed={locale() === name} data-testid={`language-${name}`} onClick={() => app.chooseLanguage(name)}>
          {LOCALE_NAMES[name]}
        </button>
      ))}
    </footer>
  );
}

export function SignIn({ state }: { readonly state: Extract<AccountState, { kind: "signed-out" }> }) {
  const app = useConsole();
  const [email, setEmail] = useState("");
  const [password, setPassword] = useState("");
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<string | null>(null);
  const enter = async (work: () => Promise<void>) => {
    setBusy(true);
    setError(null);
    try {
      await work();
    } catch (failure) {
      setError(failureText(failure));
      setBusy(false);
    }
  };
  return (
    <div class="entrance">
      <InsecureBanner />
      <main class="entrance-card">
        <Mark />
        <h1>{t("sign_in.title")}</h1>
        <p class="entrance-lead">{state.expired ? t("sign_in.expired") : state.demoUsers.length > 0 ? t("sign_in.lead_demo") : t("sign_in.lead")}</p>
        {state.setUpNeeded && (
          <p class="form-note" role="note">
            <Icon name="circle-help" />
            {t("sign_in.set_up_needed")}
          </p>
        )}
        {state.demoUsers.length > 0 && <DemoUsers users={state.demoUsers} busy={busy} enter={(email) => void enter(() => app.account.signInDemo(email))} />}
        <form
          onSubmit={(event) => {
            event.preventDefault();
            void enter(() => app.account.signIn(email.trim(), password));
          }}
        >
          <TextField label={t("email")} type="email" name="email" autocomplete="username" required value={email} onInput={setEmail} testid="sign-in-email" autofocus={state.demoUsers.length === 0} />
          <TextField label={t("password")} type="password" name="password" autocomplete="current-password" required value={password} onInput={setPassword} testid="sign-in-password" />
          {error !== null && (
            <p class="form-error" role="alert" data-testid="sign-in-error">
              <Icon name="circle-alert" />
              {error}
            </p>
          )}
          <Button type="submit" kind="primary" busy={busy} testid="sign-in-submit">
            {t("sign_in.submit")}
          </Button>
        </form>
      </main>
      <LanguageSwitch />
    </div>
  );
}

/** One of each role in the order of a team; whoever else there is stands behind a fold. */
function DemoUsers({ users, busy, enter }: { readonly users: readonly DemoUser[]; readonly busy: boolean; readonly enter: (email: string) => void }) {
  const first = new Map<string, DemoUser>();
  for (const user of users) if (!first.has(user.role)) first.set(user.role, user);
  const shown = demoRoles.map((role) => first.get(role)).filter((user) => user !== undefined);
  const others = users.filter((user) => !shown.includes(user));
  const button = (user: DemoUser, testid: string) => (
    <button key={user.email} type="button" class="demo-user" disabled={busy} data-testid={testid} onClick={() => enter(user.email)}>
      <Avatar id={user.email} name={user.name} />
      <span class="demo-user-text">
        <span>{roleName(user.role) === user.name || user.name === "Admin" ? t("sign_in.continue_as", { name: user.name }) : t("sign_in.continue_as_role", { name: user.name, role: roleName(user.role) })}</span>
        <span class="meta">{demoText(user.role)}</span>
      </span>
      <Icon name="chevron-right" />
    </button>
  );
  return (
    <section class="demo-users" aria-label={t("sign_in.demo")}>
      {shown.map((user) => button(user, `continue-as-${user.role}`))}
      {others.length > 0 && (
        <details class="demo-others">
          <summary>{t("sign_in.others", { count: others.length })}</summary>
          {others.map((user) => button(user, "continue-as-colleague"))}
        </details>
      )}
      <div class="or">
        <span>{t("sign_in.or")}</span>
      </div>
    </section>
  );
}

const demoRoles = ["agent", "supervisor", "admin", "owner"];

function demoText(role: string): string {
  switch (role) {
    case "agent":
      return t("sign_in.demo_agent");
    case "supervisor":
      return t("sign_in.demo_supervisor");
    default:
      return t("sign_in.demo_admin");
  }
}

export function roleName(builtin: string): string {
  switch (builtin) {
    case "agent":
      return t("role.agent");
    case "supervisor":
      return t("role.supervisor");
    case "admin":
      return t("role.admin");
    case "owner":
      return t("role.owner");
    default:
      return builtin;
  }
}
