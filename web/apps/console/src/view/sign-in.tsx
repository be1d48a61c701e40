import { LOCALE_NAMES, LOCALES } from "@frontdesk/i18n";
import { useState } from "preact/hooks";
import type { AccountState } from "../model/account";
import { ApiError } from "../model/api";
import { useConsole } from "./context";
import { Button, TextField } from "./parts/controls";
import { Avatar } from "./parts/avatar";
import { Icon } from "./parts/icon";
import { InsecureBanner } from "./banners";
import { locale, problem, t } from "./text";

/** What a failed form says: the server's reason in the reader's words. */
export function failureText(error: unknown): string {
  if (!(error instanceof ApiError)) return problem("general");
  if (error.code === "connection.lost") return problem("network");
  return problem(error.code);
}

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
        <p class="entrance-lead">{state.expired ? t("sign_in.expired") : t("sign_in.lead")}</p>
        {state.setUpNeeded && (
          <p class="form-note" role="note">
            <Icon name="circle-help" />
            {t("sign_in.set_up_needed")}
          </p>
        )}
        {state.demoUsers.length > 0 && (
          <section class="demo-users" aria-label={t("sign_in.demo")}>
            {state.demoUsers.map((user) => (
              <button key={user.email} type="button" class="demo-user" disabled={busy} data-testid={`continue-as-${user.role}`} onClick={() => void enter(() => app.account.signInDemo(user.email))}>
                <Avatar id={user.email} name={user.name} />
                <span class="demo-user-text">
                  <span>{t("sign_in.continue_as", { name: user.name })}</span>
                  <span class="meta">{roleName(user.role)}</span>
                </span>
                <Icon name="chevron-right" />
              </button>
            ))}
            <div class="or">
              <span>{t("sign_in.or")}</span>
            </div>
          </section>
        )}
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
