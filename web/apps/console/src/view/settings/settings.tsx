import type { SettingsPage } from "../../model/route";
import { useConsole, useDesk } from "../context";
import { lazy } from "../lazy";
import type { IconName } from "../icons";
import { Button } from "../parts/controls";
import { Icon } from "../parts/icon";
import { Empty } from "../parts/states";
import { t } from "../text";
import { Inboxes } from "./inboxes";
import { Intents } from "./intents";
import { LeaveQuestion } from "./form";
import { Keys } from "./keys";
import { Limits } from "./limits";
import { People } from "./people";
import { Profile } from "./profile";
import { Replies } from "./replies";
import { RightsPage } from "./rights";
import { Teams } from "./teams";

const BotPage = lazy(async () => (await import("./bot")).BotPage);
const FlowsPage = lazy(async () => (await import("./flows")).FlowsPage);
const LlmPage = lazy(async () => (await import("./llm")).LlmPage);
const WordsPage = lazy(async () => (await import("./words")).WordsPage);

type Section = { readonly page: SettingsPage; readonly icon: IconName; readonly right: string | readonly string[] | null };

const sections: readonly Section[] = [
  { page: "profile", icon: "user", right: null },
  { page: "people", icon: "users", right: "settings.users" },
  { page: "rights", icon: "shield", right: "settings.roles" },
  { page: "teams", icon: "user-plus", right: "settings.teams" },
  { page: "inboxes", icon: "globe", right: "settings.inboxes" },
  { page: "intents", icon: "split", right: "settings.inboxes" },
  { page: "bot", icon: "bot", right: ["settings.bots", "report.read"] },
  { page: "flows", icon: "workflow", right: "settings.bots" },
  { page: "llm", icon: "sparkles", right: "settings.bots" },
  { page: "words", icon: "shield-alert", right: "settings.account" },
  { page: "replies", icon: "message-square-text", right: "settings.replies" },
  { page: "keys", icon: "key-round", right: "settings.keys" },
  { page: "limits", icon: "sliders-horizontal", right: "settings.account" },
];

export function Settings({ section, item, part }: { readonly section: SettingsPage | null; readonly item: string | null; readonly part: string | null }) {
  const app = useConsole();
  const { rights } = useDesk();
  const offered = sections.filter((entry) => entry.right === null || rights.any(...[entry.right].flat()));
  const shown = section ?? "profile";
  const allowed = offered.some((entry) => entry.page === shown);
  return (
    <>
      <nav class="settings-nav" aria-label={t("nav.settings")} data-chosen={section !== null}>
        <h1>{t("nav.settings")}</h1>
        <ul>
          {offered.map((entry) => (
            <li key={entry.page}>
              <a class="settings-link" href={`#/settings/${entry.page}`} aria-current={entry.page === shown ? "page" : undefined} data-testid={`settings-${entry.page}`}>
                <Icon name={entry.icon} />
                <span>{t(`settings.${entry.page}`)}</span>
                <Icon name="chevron-right" size={14} />
              </a>
            </li>
          ))}
        </ul>
      </nav>
      <main class="page" id="main" tabIndex={-1} data-chosen={section !== null} data-testid="settings-page">
        <span class="only-narrow page-back">
          <Button kind="quiet" icon="chevron-left" onClick={() => app.go({ page: "settings", section: null, item: null })}>
            {t("nav.settings")}
          </Button>
        </span>
        {allowed ? <SectionPage page={shown} item={item} part={part} /> : <NotAllowed />}
      </main>
      <LeaveQuestion />
    </>
  );
}

function NotAllowed() {
  return (
    <Empty icon="lock" title={t("settings.not_allowed")}>
      <p>{t("settings.not_allowed_text")}</p>
    </Empty>
  );
}

function SectionPage({ page, item, part }: { readonly page: SettingsPage; readonly item: string | null; readonly part: string | null }) {
  switch (page) {
    case "profile":
      return <Profile />;
    case "people":
      return <People />;
    case "rights":
      return <RightsPage item={item} />;
    case "teams":
      return <Teams />;
    case "inboxes":
      return <Inboxes item={item} part={part} />;
    case "intents":
      return <Intents />;
    case "bot":
      return <BotPage item={item} />;
    case "flows":
      return <FlowsPage item={item} part={part} />;
    case "llm":
      return <LlmPage />;
    case "words":
      return <WordsPage />;
    case "replies":
      return <Replies />;
    case "keys":
      return <Keys />;
    case "limits":
      return <Limits item={item} />;
  }
}
