// The bot: where it works and as whom, what it says, when it hands over; a talk with it beside, and what came of it.
import { useEffect } from "preact/hooks";
import type { ApiKey } from "../../model/api";
import type { BotConfig, FlowHeading } from "../../model/bot";
import { useConsole, useDesk } from "../context";
import { t } from "../text";
import { BotFiguresView } from "./bot/figures";
import { BotForm } from "./bot/form";
import { Load, Page } from "./page";

const parts = ["setup", "figures"] as const;

export type BotData = { readonly config: BotConfig; readonly flows: readonly FlowHeading[]; readonly keys: readonly ApiKey[]; readonly articles: boolean };

export function BotPage({ item }: { readonly item: string | null }) {
  const { rights } = useDesk();
  // Whoever reads reports sees what came of it, and changes nothing.
  const offered = parts.filter((name) => name === "figures" || rights.has("settings.bots"));
  const shown = offered.find((name) => name === item) ?? offered[0] ?? "figures";
  return (
    <Page wide title={t("settings.bot")} lead={t("bot.lead")}>
      <Tabs label={t("bot.parts")} shown={shown} tabs={offered.map((name) => ({ name, href: `#/settings/bot/${name}`, text: t(`bot.part_${name}`) }))} />
      {shown === "setup" ? <SetUp /> : <BotFiguresView />}
    </Page>
  );
}

function SetUp() {
  const app = useConsole();
  const { rights } = useDesk();
  const read = async (): Promise<BotData> => {
    // Where that cannot be said, nothing is said of it.
    const published = app.api.articles.list({ q: "", category: "", state: "published" }).then((page) => page.articles.length > 0, () => true);
    const [config, flows, keys, articles] = await Promise.all([app.api.bot.read(), app.api.bot.flows(), rights.has("settings.keys") ? app.api.keys() : [], published]);
    return { config, flows, keys, articles };
  };
  return <Load read={read}>{(loaded) => <BotForm loaded={loaded} />}</Load>;
}

type TabsProps = { readonly label: string; readonly shown: string; readonly tabs: readonly { readonly name: string; readonly href: string; readonly text: string }[] };

/** Pages of one thing, of which one is shown. */
export function Tabs({ label, shown, tabs }: TabsProps) {
  // The chosen tab stands in sight where the row of them scrolls, also after a phone is turned.
  useEffect(() => {
    const show = () => document.querySelector('.tabs [aria-current="page"]')?.scrollIntoView({ block: "nearest", inline: "nearest" });
    show();
    addEventListener("resize", show);
    return () => removeEventListener("resize", show);
  }, [shown]);
  return (
    <nav class="tabs" aria-label={label}>
      {tabs.map((tab) => (
        <a key={tab.name} class="tab" href={tab.href} aria-current={tab.name === shown ? "page" : undefined} data-testid={`${tab.name}-tab`}>
          {tab.text}
        </a>
      ))}
    </nav>
  );
}
