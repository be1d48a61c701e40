// The first start: whoever holds the one-time link says who they are, what the team is called and
// where the chat will stand. Nothing is stored before the last of these steps; the rest of the way
// (welcome.tsx) needs an account.
import { LOCALE_NAMES, LOCALES } from "@frontdesk/i18n";
import type { Locale } from "@frontdesk/i18n";
import { useEffect, useRef, useState } from "preact/hooks";
import { ApiError } from "../model/api";
import { siteOf } from "../model/origins";
import { useConsole } from "./context";
import { failureText } from "./failure";
import { Button, Checkbox, SelectField, TextField } from "./parts/controls";
import { Icon } from "./parts/icon";
import { PasswordField } from "./settings/fields";
import { StepFrame } from "./steps";
import { locale, t } from "./text";

const passwordMin = 8;

type OwnStep = "you" | "team" | "site";

/** Where what the server refused can be mended. */
const stepOfField: Readonly<Record<string, OwnStep>> = { display_name: "you", email: "you", password: "you", account: "team", name: "team", language: "team", origins: "site" };

export function SetUp({ token }: { readonly token: string }) {
  const app = useConsole();
  const [step, setStep] = useState<OwnStep>("you");
  const [form, setForm] = useState({ account: "", name: "", email: "", password: "", site: "", language: String(locale()) });
  const [spoken, setSpoken] = useState<readonly Locale[]>(LOCALES);
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<{ readonly field: string | null; readonly text: string } | null>(null);
  const card = useRef<HTMLFormElement>(null);
  const origin = siteOf(form.site);
  const siteWrong = form.site.trim() !== "" && origin === null;
  const put = (change: Partial<typeof form>) => setForm((before) => ({ ...before, ...change }));
  const errorOf = (...fields: readonly string[]) => (error !== null && error.field !== null && fields.includes(error.field) ? error.text : null);
  const known = error !== null && error.field !== null && stepOfField[error.field] === step;
  // The next step begins at its first field.
  useEffect(() => card.current?.querySelector<HTMLElement>("input, select")?.focus(), [step]);
  const create = async () => {
    setBusy(true);
    setError(null);
    try {
      const made = await app.account.setUp({ token, account: form.account.trim(), display_name: form.name.trim(), email: form.email.trim(), password: form.password, language: form.language, origins: origin === null ? [] : [origin] });
      app.go({ page: "welcome", step: "snippet" });
      await speak(made.inbox_id);
    } catch (failure) {
      const field = failure instanceof ApiError ? failure.field : null;
      setError({ field, text: failureText(failure) });
      if (field !== null && stepOfField[field] !== undefined) setStep(stepOfField[field]);
      setBusy(false);
    }
  };
  /** The inbox speaks the languages that were chosen, and greets in no other. */
  const speak = async (inbox: string) => {
    if (spoken.length === LOCALES.length) return;
    try {
      const [made] = (await app.api.inboxes()).filter((one) => one.id === inbox);
      const greeting = Object.fromEntries(Object.entries(made?.texts["greeting"] ?? {}).filter(([language]) => spoken.some((one) => one === language)));
      await app.api.changeInbox(inbox, { texts: { greeting } });
    } catch {
      // The account stands; the texts can be changed in the settings at any time.
      app.notices.show("info", "set_up.texts_later");
    }
  };
  const next = () => {
    if (step === "you") setStep("team");
    else if (step === "team") setStep("site");
    else if (!siteWrong) void create();
  };
  if (token === "") {
    return (
      <StepFrame step={null}>
        <h1>{t("set_up.title_you")}</h1>
        <p class="form-error" role="alert">
          <Icon name="circle-alert" />
          {t("set_up.no_token")}
        </p>
      </StepFrame>
    );
  }
  return (
    <StepFrame step={step}>
      <h1>{t(`set_up.title_${step}`)}</h1>
      <p class="entrance-lead">{t(`set_up.lead_${step}`)}</p>
      <form
        ref={card}
        onSubmit={(event) => {
          event.preventDefault();
          next();
        }}
      >
        {step === "you" && (
          <>
            <TextField label={t("set_up.name")} help={t("people.name_help")} required maxlength={100} value={form.name} onInput={(name) => put({ name })} error={errorOf("display_name")} autocomplete="name" testid="set-up-name" />
            <TextField label={t("email")} type="email" required value={form.email} onInput={(email) => put({ email })} error={errorOf("email")} autocomplete="username" testid="set-up-email" />
            <PasswordField label={t("password")} help={t("set_up.password_help")} minlength={passwordMin} value={form.password} onInput={(password) => put({ password })} error={errorOf("password")} autocomplete="new-password" testid="set-up-password" />
          </>
        )}
        {step === "team" && (
          <>
            <TextField label={t("set_up.account")} help={t("set_up.account_help")} required maxlength={100} value={form.account} onInput={(account) => put({ account })} error={errorOf("account", "name")} autocomplete="organization" testid="set-up-account" />
            <SelectField label={t("set_up.language")} help={t("set_up.language_help")} value={form.language} choices={LOCALES.map((value) => ({ value, label: LOCALE_NAMES[value] }))} onChange={(language) => put({ language })} error={errorOf("language")} testid="set-up-language" />
            <fieldset class="choices">
              <legend>{t("set_up.spoken")}</legend>
              {LOCALES.map((name) => (
                <Checkbox key={name} label={LOCALE_NAMES[name]} checked={spoken.includes(name)} disabled={spoken.length === 1 && spoken.includes(name)} onChange={(checked) => setSpoken(LOCALES.filter((one) => (one === name ? checked : spoken.includes(one))))} />
              ))}
            </fieldset>
            <p class="meta">{t("set_up.spoken_help")}</p>
          </>
        )}
        {step === "site" && <TextField label={t("set_up.site")} optional={t("optional")} help={t("set_up.site_help")} placeholder="https://www.example.com" value={form.site} onInput={(site) => put({ site })} error={siteWrong ? t("inboxes.origins_wrong", { value: form.site.trim() }) : errorOf("origins")} testid="set-up-site" />}
        {error !== null && !known && (
          <p class="form-error" role="alert">
            <Icon name="circle-alert" />
            {error.text}
          </p>
        )}
        <footer class="step-foot">
          {step !== "you" && (
            <Button kind="quiet" icon="chevron-left" disabled={busy} testid="set-up-back" onClick={() => setStep(step === "site" ? "team" : "you")}>
              {t("back")}
            </Button>
          )}
          <Button type="submit" kind="primary" busy={busy} disabled={step === "site" && siteWrong} testid={step === "site" ? "set-up-submit" : "set-up-next"}>
            {step === "site" ? t("set_up.submit") : t("next")}
          </Button>
        </footer>
      </form>
    </StepFrame>
  );
}
