import type { SettingsPage } from "../../model/route";
import { useConsole, useDesk } from "../context";
import type { IconName } from "../icons";
import { Button } from "../parts/controls";
import { Icon } from "../parts/icon";
import { t } from "../text";
import { Inboxes } from "./inboxes";
import { Keys } from "./keys";
import { Limits } from "./limits";
import { People } from "./people";
import { Profile } from "./profile";
import { Replies } from "./replies";
import { Teams } from "./teams";

type Section = { readonly page: SettingsPage; readonly icon: IconName; readonly right: string | null };

const sections: readonly Section[] = [
  { page: "profile", icon: "user", right: null },
  { page: "people", icon: "users", right: "settings.users" },
  { page: "teams", icon: "user-plus", right: "settings.teams" },
  { page: "inboxes", icon: "globe", right: "settings.inboxes" },
  { page: "replies", icon: "message-square-text", right: "settings.replies" },
  { page: "keys", icon: "key-round", right: "settings.keys" },
  { page: "limits", icon: "sliders-horizontal", right: "settings.account" },
];

export function Settings({ section, item }: { readonly section: SettingsPage | null; readonly item: string | null }) {
  const app = useConsole();
  const { rights } = useDesk();
  const offered = sections.filter((entry) => entry.right === null || rights.has(entry.right));
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
        {allowed ? <SectionPage page={shown} item={item} /> : null}
      </main>
    </>
  );
}

function SectionPage({ page, item }: { readonly page: SettingsPage; readonly item: string | null }) {
  switch (page) {
    case "profile":
      return <Profile />;
    case "people":
      return <People />;
    case "teams":
      return <Teams />;
    case "inboxes":
      return <Inboxes key={item} item={item} />;
    case "replies":
      return <Replies />;
    case "keys":
      return <Keys />;
    case "limits":
      return <Limits />;
  }
}
