// The emoji to pick from by hand: a search field and a grid that arrow keys move through. Loaded when
// it is opened.
import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import type { Emoji } from "../../model/emoji-set";
import { emoji, emojiGroups, emojiName, findEmoji } from "../../model/emoji-set";
import { composing } from "../../model/shortcuts";
import { Icon } from "../parts/icon";
import { locale, t } from "../text";

const foundMax = 40;
const columns = 8;

export type EmojiPanelProps = { readonly onPick: (sign: string) => void; readonly onClose: () => void };

export function EmojiPanel({ onPick, onClose }: EmojiPanelProps) {
  const panel = useRef<HTMLDivElement>(null);
  const [query, setQuery] = useState("");
  const chinese = locale() === "zh-CN";
  const found = query.trim() === "" ? null : findEmoji(query, foundMax);
  useLayoutEffect(() => panel.current?.querySelector("input")?.focus(), []);
  useEffect(() => {
    const outside = (event: Event) => {
      // The button that opens it closes it itself.
      const own = event.target instanceof Element && event.target.closest('.emoji-panel, [aria-haspopup="dialog"]') !== null;
      if (!own) onClose();
    };
    document.addEventListener("pointerdown", outside);
    return () => document.removeEventListener("pointerdown", outside);
  }, [onClose]);
  const move = (by: number): boolean => {
    const all = [...(panel.current?.querySelectorAll<HTMLElement>(".emoji-button") ?? [])];
    const at = all.indexOf(document.activeElement as HTMLElement);
    const next = at < 0 ? (by > 0 ? 0 : -1) : at + by;
    if (next < 0) panel.current?.querySelector("input")?.focus();
    else all[next]?.focus();
    return all.length > 0;
  };
  const grid = (signs: readonly Emoji[]) => (
    <div class="emoji-grid">
      {signs.map((known) => (
        <button key={known.sign} type="button" class="emoji-button" tabIndex={-1} title={emojiName(known, chinese)} aria-label={emojiName(known, chinese)} onClick={() => onPick(known.sign)}>
          {known.sign}
        </button>
      ))}
    </div>
  );
  return (
    <div
      ref={panel}
      class="emoji-panel"
      role="dialog"
      aria-label={t("emoji.label")}
      data-testid="emoji-panel"
      onKeyDown={(event) => {
        if (composing(event)) return;
        const inField = event.target instanceof HTMLInputElement;
        if (event.key === "Escape") onClose();
        else if (event.key === "ArrowDown") move(inField ? 1 : columns);
        else if (event.key === "ArrowUp" && !inField) move(-columns);
        else if (event.key === "ArrowRight" && !inField) move(1);
        else if (event.key === "ArrowLeft" && !inField) move(-1);
        else if (event.key === "Enter" && inField && found !== null) {
          const first = found[0];
          if (first !== undefined) onPick(first.sign);
        } else return;
        event.preventDefault();
        event.stopPropagation();
      }}
    >
      <div class="search">
        <Icon name="search" size={14} />
        <input type="search" class="search-input" placeholder={t("emoji.search")} aria-label={t("emoji.search")} value={query} data-testid="emoji-search" onInput={(event) => setQuery(event.currentTarget.value)} />
      </div>
      <div class="emoji-groups">
        {found === null ? (
          emojiGroups.map((group) => (
            <section key={group} aria-label={t(`emoji.${group}`)}>
              <h3 class="emoji-title">{t(`emoji.${group}`)}</h3>
              {grid(emoji[group])}
            </section>
          ))
        ) : found.length > 0 ? (
          grid(found)
        ) : (
          <p class="meta">{t("emoji.none")}</p>
        )}
      </div>
    </div>
  );
}
