// The pages of one inbox, each with a form of its own: where it stands, who answers, what visitors
// read, when it is open, how it looks, whom it knows, its own rules.
import { useEffect } from "preact/hooks";
import type { Inbox } from "../../../model/api";
import { useConsole, useDesk } from "../../context";
import { t } from "../../text";
import { SettingsOf } from "../limits";
import { Basics } from "./basics";
import { HoursPage } from "./hours";
import { IdentityPage } from "./identity";
import { Install } from "./install";
import { LookPage } from "./look";
import { TextsPage } from "./texts";

const parts = ["install", "basics", "texts", "hours", "look", "identity", "limits"] as const;
type Part = (typeof parts)[number];

export type InboxPageProps = {
  readonly inbox: Inbox;
  /** With the inbox as the server has it now; null has the list read again. */
  readonly onDone: (inbox: Inbox | null) => Promise<void>;
};

export function InboxPages({ inbox, part, onDone }: InboxPageProps & { readonly part: string | null }) {
  const { rights } = useDesk();
  const app = useConsole();
  const offered = parts.filter((name) => name !== "limits" || rights.has("settings.account"));
  const shown = offered.find((name) => name === part) ?? "install";
  // The chosen tab stands in sight where the row of them scrolls, also after a phone is turned.
  useEffect(() => {
    const show = () => document.querySelector('.tabs [aria-current="page"]')?.scrollIntoView({ block: "nearest", inline: "nearest" });
    show();
    addEventListener("resize", show);
    return () => removeEventListener("resize", show);
  }, [shown]);
  return (
    <>
      <nav class="tabs" aria-label={t("inboxes.parts")}>
        {offered.map((name) => (
          <a key={name} class="tab" href={`#/settings/inboxes/${inbox.id}/${name}`} aria-current={name === shown ? "page" : undefined} data-testid={`inbox-${name}-tab`}>
            {t(`inboxes.part_${name}`)}
          </a>
        ))}
      </nav>
      {shown === "limits" ? <SettingsOf key={inbox.id} read={() => app.api.settings(inbox.id)} inbox={inbox.id} /> : <InboxPart part={shown} inbox={inbox} onDone={onDone} />}
    </>
  );
}

function InboxPart({ part, ...props }: InboxPageProps & { readonly part: Exclude<Part, "limits"> }) {
  switch (part) {
    case "install":
      return <Install {...props} />;
    case "basics":
      return <Basics {...props} />;
    case "texts":
      return <TextsPage {...props} />;
    case "hours":
      return <HoursPage {...props} />;
    case "look":
      return <LookPage {...props} />;
    case "identity":
      return <IdentityPage {...props} />;
  }
}
