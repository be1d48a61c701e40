// An invitation's link: whose team it is, a name and a password, and one is in.
import { useEffect, useState } from "preact/hooks";
import type { InvitationOffer, Me } from "../model/api";
import { ApiError } from "../model/api";
import { InsecureBanner } from "./banners";
import { useConsole } from "./context";
import { failureText } from "./failure";
import { Button, TextField } from "./parts/controls";
import { Icon } from "./parts/icon";
import { Failed, SkeletonRows } from "./parts/states";
import { PasswordField } from "./settings/fields";
import { passwordMin } from "./settings/person-forms";
import { LanguageSwitch, Mark } from "./sign-in";
import { t } from "./text";

type Offered = { readonly kind: "loading" } | { readonly kind: "over" } | { readonly kind: "failed"; readonly text: string } | { readonly kind: "offer"; readonly offer: InvitationOffer };

export function Invite({ token, me }: { readonly token: string; readonly me: Me | null }) {
  const app = useConsole();
  const [offered, setOffered] = useState<Offered>({ kind: "loading" });
  const load = async () => {
    setOffered({ kind: "loading" });
    try {
      setOffered({ kind: "offer", offer: await app.api.invitationOffer(token) });
    } catch (failure) {
      const over = failure instanceof ApiError && failure.status >= 400 && failure.status < 500 && failure.status !== 429;
      setOffered(over ? { kind: "over" } : { kind: "failed", text: failureText(failure) });
    }
  };
  useEffect(() => void load(), [token]);
  return (
    <div class="entrance">
      <InsecureBanner />
      <main class="entrance-card" data-testid="invite-page">
        <Mark />
        {offered.kind === "loading" && <SkeletonRows count={3} />}
        {offered.kind === "failed" && <Failed text={offered.text} onRetry={() => void load()} />}
        {offered.kind === "over" && <Over />}
        {offered.kind === "offer" && (me === null ? <Join token={token} offer={offered.offer} /> : <SignedIn me={me} offer={offered.offer} />)}
      </main>
      <LanguageSwitch />
    </div>
  );
}

function Over() {
  return (
    <>
      <h1>{t("join.over")}</h1>
      <p class="entrance-lead">{t("join.over_text")}</p>
      <a href="#/inbox/mine">{t("join.to_sign_in")}</a>
    </>
  );
}

/** Somebody is signed in here already: they join with their own browser, or sign out first. */
function SignedIn({ me, offer }: { readonly me: Me; readonly offer: InvitationOffer }) {
  const app = useConsole();
  return (
    <>
      <h1>{t("join.title", { account: offer.account_name })}</h1>
      <p class="entrance-lead">{t("join.signed_in", { name: me.display_name, email: offer.email })}</p>
      <div class="step-foot">
        <Button kind="quiet" onClick={() => app.go({ page: "inbox", view: "mine", conversation: null })}>
          {t("join.stay")}
        </Button>
        <Button kind="primary" icon="log-out" testid="invite-sign-out" onClick={() => void app.account.signOut().catch(() => app.notices.show("danger", "sign_out.failed"))}>
          {t("sign_out")}
        </Button>
      </div>
    </>
  );
}

function Join({ token, offer }: { readonly token: string; readonly offer: InvitationOffer }) {
  const app = useConsole();
  const [name, setName] = useState(offer.display_name ?? "");
  const [password, setPassword] = useState("");
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<{ readonly field: string | null; readonly text: string } | null>(null);
  const errorOf = (field: string) => (error?.field === field ? error.text : null);
  const join = async () => {
    setBusy(true);
    setError(null);
    try {
      await app.account.join(token, name.trim(), password);
      app.go({ page: "inbox", view: "mine", conversation: null });
    } catch (failure) {
      setError({ field: failure instanceof ApiError ? failure.field : null, text: failureText(failure) });
      setBusy(false);
    }
  };
  return (
    <>
      <h1>{t("join.title", { account: offer.account_name })}</h1>
      <p class="entrance-lead">{t("join.lead")}</p>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          void join();
        }}
      >
        <TextField label={t("email")} type="email" value={offer.email} onInput={() => undefined} disabled autocomplete="username" testid="join-email" />
        <TextField label={t("set_up.name")} help={t("people.name_help")} required maxlength={100} value={name} onInput={setName} error={errorOf("display_name")} autocomplete="name" testid="join-name" autofocus />
        <PasswordField label={t("password")} help={t("set_up.password_help")} autocomplete="new-password" minlength={passwordMin} value={password} onInput={setPassword} error={errorOf("password")} testid="join-password" />
        {error !== null && error.field !== "display_name" && error.field !== "password" && (
          <p class="form-error" role="alert">
            <Icon name="circle-alert" />
            {error.text}
          </p>
        )}
        <Button type="submit" kind="primary" busy={busy} testid="join-submit">
          {t("join.submit")}
        </Button>
      </form>
    </>
  );
}
