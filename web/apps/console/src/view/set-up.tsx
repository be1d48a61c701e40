// The first start: whoever holds the one-time link makes the account and its administrator.
import { LOCALE_NAMES, LOCALES } from "@frontdesk/i18n";
import { useState } from "preact/hooks";
import { ApiError } from "../model/api";
import { InsecureBanner } from "./banners";
import { useConsole } from "./context";
import { Button, SelectField, TextField } from "./parts/controls";
import { Icon } from "./parts/icon";
import { LanguageSwitch, Mark, failureText } from "./sign-in";
import { locale, t } from "./text";

const passwordMin = 8;

/** Scheme, host and port of what was typed; null where it is no website. */
function originOf(text: string): string | null {
  try {
    const url = new URL(text.trim());
    return /^https?:$/.test(url.protocol) ? url.origin : null;
  } catch {
    return null;
  }
}

export function SetUp({ token }: { readonly token: string }) {
  const app = useConsole();
  const [account, setAccount] = useState("");
  const [name, setName] = useState("");
  const [email, setEmail] = useState("");
  const [password, setPassword] = useState("");
  const [site, setSite] = useState("");
  const [language, setLanguage] = useState<string>(locale());
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<{ readonly field: string | null; readonly text: string } | null>(null);
  const fieldError = (field: string) => (error?.field === field ? error.text : null);
  const origin = originOf(site);
  const submit = async () => {
    setBusy(true);
    setError(null);
    try {
      await app.account.setUp({ token, account: account.trim(), display_name: name.trim(), email: email.trim(), password, language, origins: origin === null ? [] : [origin] });
      app.go({ page: "settings", section: "inboxes", item: null });
    } catch (failure) {
      setError({ field: failure instanceof ApiError ? failure.field : null, text: failureText(failure) });
      setBusy(false);
    }
  };
  return (
    <div class="entrance">
      <InsecureBanner />
      <main class="entrance-card" data-testid="set-up">
        <Mark />
        <h1>{t("set_up.title")}</h1>
        <p class="entrance-lead">{t("set_up.lead")}</p>
        {token === "" ? (
          <p class="form-error" role="alert">
            <Icon name="circle-alert" />
            {t("set_up.no_token")}
          </p>
        ) : (
          <form
            onSubmit={(event) => {
              event.preventDefault();
              void submit();
            }}
          >
            <TextField label={t("set_up.account")} help={t("set_up.account_help")} required value={account} onInput={setAccount} error={fieldError("account")} autocomplete="organization" testid="set-up-account" autofocus />
            <TextField label={t("set_up.name")} required value={name} onInput={setName} error={fieldError("display_name")} autocomplete="name" testid="set-up-name" />
            <TextField label={t("email")} type="email" required value={email} onInput={setEmail} error={fieldError("email")} autocomplete="username" testid="set-up-email" />
            <TextField label={t("password")} help={t("set_up.password_help")} type="password" required minlength={passwordMin} value={password} onInput={setPassword} error={fieldError("password")} autocomplete="new-password" testid="set-up-password" />
            <TextField label={t("set_up.site")} optional={t("optional")} help={t("set_up.site_help")} placeholder="https://www.example.com" value={site} onInput={setSite} error={site.trim() !== "" && origin === null ? t("inboxes.origins_wrong", { value: site.trim() }) : fieldError("origins")} testid="set-up-site" />
            <SelectField label={t("set_up.language")} help={t("set_up.language_help")} value={language} choices={LOCALES.map((value) => ({ value, label: LOCALE_NAMES[value] }))} onChange={setLanguage} testid="set-up-language" />
            {error !== null && error.field === null && (
              <p class="form-error" role="alert">
                <Icon name="circle-alert" />
                {error.text}
              </p>
            )}
            <Button type="submit" kind="primary" busy={busy} disabled={site.trim() !== "" && origin === null} testid="set-up-submit">
              {t("set_up.submit")}
            </Button>
          </form>
        )}
      </main>
      <LanguageSwitch />
    </div>
  );
}
