// What the visitor wants, why it is held for that, and how to say it better.
import { percent } from "@frontdesk/i18n";
import { useCallback, useState } from "preact/hooks";
import type { Chat } from "../../model/chat";
import { corrections, readScores } from "../../model/intents";
import type { Session } from "../../model/types";
import { useDesk } from "../context";
import { Icon } from "../parts/icon";
import { IntentTag, intentName } from "../parts/intent";
import type { MenuItem } from "../parts/overlay";
import { Menu } from "../parts/overlay";
import { locale, t } from "../text";

export function IntentFact({ chat, session }: { readonly chat: Chat; readonly session: Session }) {
  const { rights } = useDesk();
  const may = rights.has("conversation.assign") && session.id !== "";
  if (session.intent === "" && !may) return null;
  return (
    <div class="fact">
      <dt>{t("details.intent")}</dt>
      <dd class="intent" data-testid="details-intent">
        {may ? <Correction chat={chat} intent={session.intent} /> : <IntentTag intent={session.intent} />}
        <Why session={session} />
      </dd>
    </div>
  );
}

function Correction({ chat, intent }: { readonly chat: Chat; readonly intent: string }) {
  const [open, setOpen] = useState(false);
  const close = useCallback(() => setOpen(false), []);
  const name = intent === "" ? t("details.intent_none") : intentName(intent);
  const items: readonly MenuItem[] = corrections.map((one) => ({
    key: one,
    label: one === "" ? t("intent.none") : intentName(one),
    checked: one === intent,
    separated: one === "",
    testid: `intent-set-${one === "" ? "none" : one}`,
    run: () => {
      if (one !== intent) void chat.command({ setIntent: { intent: one } });
    },
  }));
  return (
    <div class="menu-anchor">
      <button type="button" class="intent-edit" title={t("edit_named", { name: t("details.intent") })} aria-label={t("details.intent_change", { intent: name })} aria-haspopup="menu" aria-expanded={open} data-testid="intent-button" onClick={() => setOpen(!open)}>
        {intent === "" ? <span class="contact-empty">{name}</span> : <IntentTag intent={intent} />}
        <Icon name="chevron-down" size={14} />
      </button>
      {open && <Menu label={t("details.intent")} items={items} align="end" onClose={close} />}
    </div>
  );
}

/** Less of a chance would say nothing. */
const worthShowing = 0.05;

/** What else the model held probable; what is not written as scores is shown as it is. */
function others(intent: string, why: string): string {
  const scores = readScores(why);
  if (scores === null) return why;
  const rest = scores.filter((score) => score.label !== intent && score.share >= worthShowing).map((score) => `${intentName(score.label)} ${percent(score.share, locale())}`);
  return rest.length === 0 ? "" : t("intent.else", { scores: rest.join(", ") });
}

/** Who says so, how sure that is, and the words or shares that spoke for it. */
function Why({ session }: { readonly session: Session }) {
  const { intent, intentSource: source, intentConfidence, intentWhy } = session;
  if (source === null) return null;
  const by = t(`intent.by_${source}`);
  // A person who takes an intent away is as sure as one who gives it.
  const said = source === "person" || intentConfidence <= 0 ? by : t("intent.why", { source: by, confidence: percent(intentConfidence, locale()) });
  const reasons = intentWhy === "" ? "" : source === "rule" ? t("intent.words", { words: intentWhy }) : others(intent, intentWhy);
  return (
    <p class="meta intent-why" data-testid="intent-why">
      <span>{said}</span>
      {reasons !== "" && <span>{reasons}</span>}
    </p>
  );
}
