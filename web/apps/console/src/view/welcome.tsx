// The rest of a first start, signed in: the snippet, a message to oneself, a colleague. Each can be
// skipped, and all of it stands in the settings too.
import { relativeTime } from "@frontdesk/i18n";
import { useEffect, useRef, useState } from "preact/hooks";
import type { Inbox, InvitationMade, Sightings } from "../model/api";
import type { WelcomeStep } from "../model/route";
import { chatPage, snippet } from "../model/snippet";
import type { Row } from "../model/types";
import { useConsole, useDesk } from "./context";
import { lineText } from "./inbox/line-text";
import { Button } from "./parts/controls";
import { Icon } from "./parts/icon";
import { Qr, Snippet, baseUrl } from "./settings/inbox/install";
import { InvitationLink, InviteForm } from "./settings/invitations";
import { Load, useAgain } from "./settings/page";
import { StepFrame } from "./steps";
import { locale, t } from "./text";

const lookAgainMs = 3_000;

export function Welcome({ step }: { readonly step: WelcomeStep }) {
  const app = useConsole();
  const { rights } = useDesk();
  const go = (next: WelcomeStep) => app.go({ page: "welcome", step: next });
  const finish = () => app.go({ page: "inbox", view: "all", conversation: null });
  const heading = useRef<HTMLHeadingElement>(null);
  // While nobody is invited the form has the button that stands out; afterwards nothing is left but to begin.
  const [invited, setInvited] = useState(false);
  useEffect(() => heading.current?.focus(), [step]);
  const afterTest = () => (rights.has("settings.users") ? go("invite") : finish());
  return (
    <StepFrame step={step}>
      <h1 ref={heading} tabIndex={-1}>
        {t(`set_up.title_${step}`)}
      </h1>
      <p class="entrance-lead">{t(`set_up.lead_${step}`)}</p>
      <Load read={() => app.api.inboxes()}>
        {({ value: inboxes }) => {
          const inbox = inboxes[0];
          if (inbox === undefined) return <p>{t("inboxes.none")}</p>;
          return (
            <>
              {step === "snippet" && <SnippetStep inbox={inbox} />}
              {step === "test" && <TestStep inbox={inbox} />}
              {step === "invite" && <InviteStep onInvited={setInvited} />}
            </>
          );
        }}
      </Load>
      <footer class="step-foot">
        {step !== "snippet" && (
          <Button kind="quiet" icon="chevron-left" onClick={() => go(step === "invite" ? "test" : "snippet")}>
            {t("back")}
          </Button>
        )}
        <Button kind={step === "invite" && !invited ? "plain" : "primary"} testid="welcome-next" onClick={step === "snippet" ? () => go("test") : step === "test" ? afterTest : finish}>
          {step === "invite" ? t("set_up.finish") : t("next")}
        </Button>
      </footer>
    </StepFrame>
  );
}

function SnippetStep({ inbox }: { readonly inbox: Inbox }) {
  const app = useConsole();
  return (
    <>
      <Snippet line={snippet(baseUrl(), inbox.inbox_key)} />
      <Load read={() => app.api.sightings(inbox.id)}>{({ value, reload }) => <SeenAlready sightings={value} reload={reload} />}</Load>
    </>
  );
}

function SeenAlready({ sightings, reload }: { readonly sightings: Sightings; readonly reload: () => Promise<void> }) {
  const app = useConsole();
  useAgain(() => void reload(), lookAgainMs);
  const seen = sightings.seen[0];
  return (
    <p class={seen === undefined ? "waiting-for" : "waiting-for waiting-over"} role="status" data-testid="snippet-seen">
      <Icon name={seen === undefined ? "clock" : "circle-check"} />
      {seen === undefined ? t("set_up.not_seen") : t("set_up.seen", { origin: seen.origin, time: relativeTime(seen.last_seen_ms, app.now.value, locale()) })}
    </p>
  );
}

function TestStep({ inbox }: { readonly inbox: Inbox }) {
  const app = useConsole();
  const desk = useDesk();
  const link = chatPage(baseUrl(), inbox.inbox_key);
  const arrived = newest([...desk.inbox.rows.value.values()]);
  return (
    <div class="chat-link">
      <div class="chat-link-text">
        <p>{t("set_up.test_how")}</p>
        <p>
          <a class="button button-plain button-normal" href={link} target="_blank" rel="noopener" data-testid="open-chat-page">
            <Icon name="external-link" />
            <span class="button-text">{t("set_up.test_open")}</span>
          </a>
        </p>
        <p class={arrived === null ? "waiting-for" : "waiting-for waiting-over"} role="status" data-testid="test-message">
          <Icon name={arrived === null ? "clock" : "circle-check"} />
          {arrived === null ? t("set_up.test_waiting") : t("set_up.test_arrived", { text: arrived.last === null ? "" : lineText(arrived.last) })}
        </p>
        {arrived !== null && (
          <p>
            <Button icon="message-square" testid="answer-test" onClick={() => app.openConversation(arrived.conversation, "all")}>
              {t("set_up.test_answer")}
            </Button>
          </p>
        )}
      </div>
      <Qr text={link} name={inbox.name} />
    </div>
  );
}

function newest(rows: readonly Row[]): Row | null {
  return rows.filter((row) => row.last !== null).sort((a, b) => b.session.openedAtMs - a.session.openedAtMs)[0] ?? null;
}

function InviteStep({ onInvited }: { readonly onInvited: (invited: boolean) => void }) {
  const app = useConsole();
  const [made, setMade] = useState<{ readonly made: InvitationMade; readonly email: string } | null>(null);
  useEffect(() => {
    onInvited(made !== null);
    return () => onInvited(false);
  }, [made]);
  if (made !== null) {
    return (
      <div class="dialog-form">
        <InvitationLink {...made} />
        <p>
          <Button icon="plus" onClick={() => setMade(null)}>
            {t("invite.another")}
          </Button>
        </p>
      </div>
    );
  }
  return <Load read={async () => ({ ...(await app.api.roles()), teams: await app.api.teams() })}>{({ value: { roles, teams } }) => <InviteForm roles={roles} teams={teams} onMade={(invitation, email) => setMade({ made: invitation, email })} />}</Load>;
}
