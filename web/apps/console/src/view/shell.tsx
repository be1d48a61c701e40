// The frame of four columns: rail, list, timeline, details. On a narrow screen one of them at a time.
import { useEffect, useState } from "preact/hooks";
import { themes } from "../model/preferences";
import type { Presence } from "../model/types";
import { LOCALE_NAMES, LOCALES } from "@frontdesk/i18n";
import { InsecureBanner, OfflineBanner } from "./banners";
import { useConsole, useDesk } from "./context";
import type { IconName } from "./icons";
import { ChatPane } from "./inbox/chat";
import { ConversationList } from "./inbox/list";
import { Announcer } from "./inbox/announcer";
import { Avatar } from "./parts/avatar";
import { Icon } from "./parts/icon";
import type { MenuItem } from "./parts/overlay";
import { Menu } from "./parts/overlay";
import { KnowledgePage } from "./knowledge/knowledge";
import { Palette } from "./palette";
import { Settings } from "./settings/settings";
import { ShortcutHelp, useShortcuts } from "./shortcuts";
import { useDemoToggle } from "./demo-toggle";
import { presenceText } from "./presence";
import { locale, t } from "./text";
import { WaitingPage } from "./waiting";

export function Shell() {
  const app = useConsole();
  const desk = useDesk();
  const route = app.route.value;
  const [help, setHelp] = useState(false);
  const [palette, setPalette] = useState(false);
  useShortcuts(
    () => setHelp(true),
    () => setPalette(true),
  );
  // What a colleague configured meanwhile is seen when the reader comes back to the list.
  useEffect(() => {
    if (route.page === "inbox") void desk.inbox.loadDirectory();
  }, [route.page]);
  const pane = route.page === "inbox" && route.conversation !== null ? "chat" : "list";
  return (
    <div class="shell" data-page={route.page} data-pane={pane}>
      <a class="skip-link" href="#main" onClick={(event) => {
        event.preventDefault();
        document.getElementById("main")?.focus();
      }}>
        {t("skip_to_main")}
      </a>
      <div class="banners">
        <InsecureBanner />
        <OfflineBanner />
      </div>
      <Rail onHelp={() => setHelp(true)} />
      {route.page === "inbox" && (
        <>
          <ConversationList />
          <ChatPane />
        </>
      )}
      {route.page === "waiting" && <WaitingPage />}
      {route.page === "knowledge" && <KnowledgePage article={route.article} />}
      {route.page === "settings" && <Settings section={route.section} item={route.item} part={route.part ?? null} />}
      <Announcer />
      {help && <ShortcutHelp onClose={() => setHelp(false)} />}
      {palette && <Palette onClose={() => setPalette(false)} />}
    </div>
  );
}

type RailLink = { readonly page: "inbox" | "waiting" | "knowledge" | "settings"; readonly href: string; readonly icon: IconName; readonly label: string; readonly badge?: number };

function Rail({ onHelp }: { readonly onHelp: () => void }) {
  const app = useConsole();
  const desk = useDesk();
  const route = app.route.value;
  const links: readonly RailLink[] = [
    { page: "inbox", href: "#/inbox/mine", icon: "inbox", label: t("nav.inbox"), badge: desk.inbox.unread.value },
    { page: "waiting", href: "#/waiting", icon: "hourglass", label: t("nav.waiting"), badge: desk.inbox.counts.value.queue },
    { page: "knowledge", href: "#/knowledge", icon: "book-open", label: t("nav.knowledge") },
    { page: "settings", href: "#/settings", icon: "settings", label: t("nav.settings") },
  ];
  return (
    <nav class="rail" aria-label={t("nav.label")}>
      <ul class="rail-links">
        {links.map((link) => (
          <li key={link.page}>
            <a class="rail-link" href={link.href} aria-current={route.page === link.page ? "page" : undefined} title={link.label} aria-label={badged(link)} data-testid={`nav-${link.page}`}>
              <Icon name={link.icon} size={20} />
              {link.badge !== undefined && link.badge > 0 && <span class="rail-badge">{link.badge > 99 ? "99+" : link.badge}</span>}
              <span class="rail-text">{link.label}</span>
            </a>
          </li>
        ))}
      </ul>
      <div class="rail-foot">
        <button type="button" class="rail-link rail-help" title={`${t("shortcuts.title")} (?)`} aria-label={t("shortcuts.title")} onClick={onHelp}>
          <Icon name="keyboard" size={20} />
        </button>
        <DemoSwitch />
        <OwnMenu />
      </div>
    </nav>
  );
}

function DemoSwitch() {
  const demo = useDemoToggle();
  if (demo === null) return null;
  return (
    <button type="button" class="rail-link rail-demo" title={demo.label} aria-label={demo.label} data-testid="demo-switch" data-paused={demo.paused} onClick={demo.toggle}>
      <Icon name={demo.paused ? "play" : "pause"} size={20} />
    </button>
  );
}

function badged(link: RailLink): string {
  return link.badge !== undefined && link.badge > 0 ? t("nav.badge", { label: link.label, count: link.badge }) : link.label;
}

const presences: readonly Presence[] = ["online", "away", "offline"];

function OwnMenu() {
  const app = useConsole();
  const desk = useDesk();
  const [open, setOpen] = useState(false);
  const presence = desk.inbox.presence.value;
  const demo = useDemoToggle();
  const choose = (next: Presence) => {
    desk.inbox.setPresence(next).catch(() => app.notices.show("danger", "presence.failed"));
  };
  const items: MenuItem[] = [
    ...presences.map((name) => ({ key: name, label: presenceText(name), icon: name === "online" ? ("circle-check" as const) : name === "away" ? ("coffee" as const) : ("circle-x" as const), checked: presence === name, testid: `presence-${name}`, run: () => choose(name) })),
    ...themes.map((theme, at) => ({ key: theme, separated: at === 0, label: t(`theme.${theme}`), icon: theme === "system" ? ("monitor" as const) : theme === "light" ? ("sun" as const) : ("moon" as const), checked: app.preferences.theme.value === theme, testid: `theme-${theme}`, run: () => (app.preferences.theme.value = theme) })),
    ...LOCALES.map((name, at) => ({ key: name, separated: at === 0, label: LOCALE_NAMES[name], icon: "languages" as const, checked: locale() === name, testid: `language-${name}`, run: () => app.chooseLanguage(name) })),
    ...(demo === null ? [] : [{ key: "demo", separated: true, label: demo.label, icon: demo.paused ? ("play" as const) : ("pause" as const), testid: "demo-menu", run: demo.toggle }]),
    { key: "profile", separated: true, label: t("settings.profile"), icon: "user", run: () => app.go({ page: "settings", section: "profile", item: null }) },
    { key: "sign-out", label: t("sign_out"), icon: "log-out", testid: "sign-out", run: () => void app.account.signOut().catch(() => app.notices.show("danger", "sign_out.failed")) },
  ];
  return (
    <div class="menu-anchor">
      <button type="button" class="rail-own" aria-haspopup="menu" aria-expanded={open} title={`${desk.me.display_name} · ${presenceText(presence)}`} data-testid="presence-switch" data-presence={presence} onClick={() => setOpen(!open)}>
        <Avatar id={desk.me.id} name={desk.me.display_name} presence={presence} />
        {/* The letters of the avatar are no part of the name. */}
        <span class="visually-hidden">{t("own.menu", { name: desk.me.display_name, presence: presenceText(presence) })}</span>
      </button>
      {open && <Menu label={t("own.title")} items={items} side="right" onClose={() => setOpen(false)} />}
    </div>
  );
}
