// What opens above the composer while somebody types after a sign: canned replies, colleagues, emoji.
// The keyboard stays in the text; the list only shows what it would put there.
import { localText } from "@frontdesk/i18n";
import type { ComponentChildren } from "preact";
import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import type { Chat } from "../../model/chat";
import type { Mode } from "../../model/composer";
import type * as emojiSet from "../../model/emoji-set";
import { findColleagues } from "../../model/mentions";
import { fillReply, findReplies } from "../../model/replies";
import type { Trigger, TriggerKind } from "../../model/triggers";
import { useDesk } from "../context";
import { Avatar } from "../parts/avatar";
import { presenceText } from "../presence";
import { locale, t } from "../text";

const shownMax = 8;

/** What a kind of writing offers. */
export const offered: Readonly<Record<Mode, readonly TriggerKind[]>> = { reply: ["reply", "emoji"], note: ["mention", "emoji"] };

/** One line of the list and what it puts in the place of the sign. */
export type Suggestion = { readonly key: string; readonly put: string; readonly picked?: () => void; readonly drawing: ComponentChildren };

type EmojiSet = Pick<typeof emojiSet, "findEmoji" | "emojiName">;

/** The emoji, once somebody asks for them. */
export function useEmojiSet(wanted: boolean): EmojiSet | null {
  const [set, setSet] = useState<EmojiSet | null>(null);
  useEffect(() => {
    if (!wanted || set !== null) return;
    let gone = false;
    // Without the chunk there is nothing to offer; the next sign asks again.
    import("../../model/emoji-set").then((module) => gone || setSet(module), () => undefined);
    return () => {
      gone = true;
    };
  }, [wanted, set]);
  return set;
}

/** What fits to what was typed. */
export function useSuggestions(chat: Chat, trigger: Trigger | null): readonly Suggestion[] {
  const { inbox, me, standings } = useDesk();
  const set = useEmojiSet(trigger?.kind === "emoji");
  const mentioning = trigger?.kind === "mention";
  useEffect(() => {
    if (mentioning) void standings.load();
  }, [mentioning]);
  if (trigger === null) return [];
  switch (trigger.kind) {
    case "reply": {
      const row = chat.row.value;
      const visitor = row === null || row.visitorName === "" ? t("visitor.you_formal") : row.visitorName;
      return findReplies(inbox.directory.value.replies, trigger.query, shownMax).map((reply) => {
        const text = localText(reply.texts, locale());
        return {
          key: reply.id,
          put: fillReply(text, { visitor, agent: me.display_name }),
          drawing: (
            <>
              <span class="reply-shortcut">/{reply.shortcut}</span>
              <span class="reply-text">{text}</span>
            </>
          ),
        };
      });
    }
    case "mention":
      return findColleagues(inbox.agents(), me.id, trigger.query, shownMax).map((agent) => ({
        key: agent.id,
        put: `@${agent.name} `,
        picked: () => chat.composer.mention(agent),
        drawing: (
          <>
            <Avatar id={agent.id} name={agent.name} size="small" presence={agent.presence} />
            <span class="suggest-name">{agent.name}</span>
            <span class="reply-text">{presenceText(agent.presence)}</span>
            {standings.comesIn(agent.id, chat.session.value) && (
              <span class="suggest-joins" data-testid="mention-joins">
                {t("mentions.joins")}
              </span>
            )}
          </>
        ),
      }));
    case "emoji":
      return (set?.findEmoji(trigger.query, shownMax) ?? []).map((emoji) => ({
        key: emoji.sign,
        put: emoji.sign,
        drawing: (
          <>
            <span class="suggest-emoji">{emoji.sign}</span>
            <span class="reply-text">{set?.emojiName(emoji, locale() === "zh-CN")}</span>
          </>
        ),
      }));
  }
}

const labels = { reply: "replies.label", mention: "mentions.label", emoji: "emoji.label" } as const;
const testids = { reply: "replies-menu", mention: "mentions-menu", emoji: "emoji-menu" } as const;

type SuggestProps = {
  readonly id: string;
  readonly kind: TriggerKind;
  readonly suggestions: readonly Suggestion[];
  /** -1 for none: Enter then does what it always does. */
  readonly chosen: number;
  readonly onChoose: (at: number) => void;
  readonly onPick: (suggestion: Suggestion) => void;
};

export function Suggest({ id, kind, suggestions, chosen, onChoose, onPick }: SuggestProps) {
  const list = useRef<HTMLDivElement>(null);
  useLayoutEffect(() => {
    list.current?.querySelector('[aria-selected="true"]')?.scrollIntoView({ block: "nearest" });
  }, [chosen]);
  return (
    <div ref={list} class="replies" role="listbox" id={id} aria-label={t(labels[kind])} data-testid={testids[kind]}>
      {suggestions.map((suggestion, at) => (
        <div
          key={suggestion.key}
          id={`${id}-${at}`}
          role="option"
          aria-selected={at === chosen}
          class={`reply-option reply-option-${kind}`}
          onMouseEnter={() => onChoose(at)}
          onMouseDown={(event) => {
            event.preventDefault();
            onPick(suggestion);
          }}
        >
          {suggestion.drawing}
        </div>
      ))}
    </div>
  );
}
