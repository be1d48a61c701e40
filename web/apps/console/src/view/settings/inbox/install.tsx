// How the chat gets to visitors: the snippet and whether it was seen, sites that were refused, and
// the page of its own with its address as a link and as a QR code.
import { relativeTime } from "@frontdesk/i18n";
import type { ComponentType } from "preact";
import { useEffect, useState } from "preact/hooks";
import type { Sightings } from "../../../model/api";
import { chatPage, snippet } from "../../../model/snippet";
import { useConsole } from "../../context";
import { Button } from "../../parts/controls";
import { Icon } from "../../parts/icon";
import { locale, t } from "../../text";
import { Card, FormError, Load, useAgain, useSubmit } from "../page";
import type { InboxPageProps } from "./pages";

const loadQr = () => import("./qr-code").then((module) => module.QrCode);
const lookAgainMs = 5_000;

/** Where this installation lies, with the last slash. */
export function baseUrl(): string {
  return new URL(".", location.href).href;
}

export function Install({ inbox, onDone }: InboxPageProps) {
  const app = useConsole();
  const line = snippet(baseUrl(), inbox.inbox_key);
  const link = chatPage(baseUrl(), inbox.inbox_key);
  return (
    <div class="cards">
      <Card title={t("inboxes.install")} text={t("inboxes.install_text")}>
        <Snippet line={line} />
        <Load read={() => app.api.sightings(inbox.id)}>
          {({ value, reload }) => <Seen sightings={value} inbox={inbox} onDone={onDone} reload={reload} />}
        </Load>
      </Card>
      <Card title={t("inboxes.page")} text={t("inboxes.link_text")}>
        <div class="chat-link">
          <div class="chat-link-text">
            <div class="snippet">
              <code>
                <a href={link} target="_blank" rel="noopener" data-testid="chat-page">
                  {link}
                </a>
              </code>
              <Button size="small" icon="link" label={t("inboxes.copy_link")} onClick={() => void app.copy(link)}>
                {t("copy")}
              </Button>
            </div>
            <p class="meta">{t("inboxes.qr_text")}</p>
          </div>
          <Qr text={link} name={inbox.name} />
        </div>
      </Card>
    </div>
  );
}

export function Snippet({ line }: { readonly line: string }) {
  const app = useConsole();
  return (
    <div class="snippet">
      <code data-testid="inbox-snippet">{line}</code>
      <Button size="small" icon="copy" label={t("inboxes.copy")} testid="copy-snippet" onClick={() => void app.copy(line)}>
        {t("copy")}
      </Button>
    </div>
  );
}

/** The encoder comes when a code is shown. */
export function Qr({ text, name }: { readonly text: string; readonly name: string }) {
  const [Code, setCode] = useState<{ readonly Loaded: ComponentType<{ text: string; name: string }> } | null>(null);
  useEffect(() => {
    // Without it the link beside says the same.
    loadQr().then((Loaded) => setCode({ Loaded }), () => undefined);
  }, []);
  return <div class="qr">{Code !== null && <Code.Loaded text={text} name={name} />}</div>;
}

function Seen({ sightings, inbox, onDone, reload }: InboxPageProps & { readonly sightings: Sightings; readonly reload: () => Promise<void> }) {
  const app = useConsole();
  const submit = useSubmit();
  const now = app.now.value;
  useAgain(() => void reload(), lookAgainMs);
  const allow = async (origin: string) => {
    if (await submit.run(async () => onDone(await app.api.changeInbox(inbox.id, { origins: [...inbox.origins, origin] })))) await reload();
  };
  const refused = sightings.refused.filter((sighting) => !inbox.origins.includes(sighting.origin));
  return (
    <div class="sightings" data-testid="sightings">
      {sightings.seen.length === 0 ? (
        <p class="sighting-none">
          <Icon name="clock" />
          {t("sightings.none")}
        </p>
      ) : (
        <>
          <h3>{t("sightings.seen")}</h3>
          <ul class="lines">
            {sightings.seen.map((sighting) => (
              <li key={`${sighting.origin} ${sighting.page}`} class="line" data-testid="seen-origin">
                <span class="sign-ok">
                  <Icon name="circle-check" />
                </span>
                <span class="line-text">
                  <span>{sighting.origin}</span>
                  <span class="meta">{sighting.page}</span>
                </span>
                <time class="meta">{relativeTime(sighting.last_seen_ms, now, locale())}</time>
              </li>
            ))}
          </ul>
        </>
      )}
      {refused.length > 0 && (
        <>
          <h3>{t("sightings.refused")}</h3>
          <p class="meta">{t("sightings.refused_text")}</p>
          <ul class="lines">
            {refused.map((sighting) => (
              <li key={sighting.origin} class="line" data-testid="refused-origin">
                <span class="sign-warning">
                  <Icon name="triangle-alert" />
                </span>
                <span class="line-text">
                  <span>{sighting.origin}</span>
                  <span class="meta">
                    {t("sightings.times", { count: sighting.count })} · {relativeTime(sighting.last_seen_ms, now, locale())}
                  </span>
                </span>
                <Button size="small" icon="check" busy={submit.busy} testid="allow-origin" label={t("sightings.allow_named", { name: sighting.origin })} onClick={() => void allow(sighting.origin)}>
                  {t("sightings.allow")}
                </Button>
              </li>
            ))}
          </ul>
        </>
      )}
      <FormError submit={submit} />
    </div>
  );
}
