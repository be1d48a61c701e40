// Where the agent writes. Reply and note look different; "/" opens the canned replies, "@" the
// colleagues a note may call upon, ":" the emoji; files come by paste, drop or the clip.
import type { ComponentType } from "preact";
import { useId, useLayoutEffect, useRef, useState } from "preact/hooks";
import type { Chat } from "../../model/chat";
import type { Mode } from "../../model/composer";
import { composing, sendsOnKey } from "../../model/shortcuts";
import type { Trigger } from "../../model/triggers";
import type { Session } from "../../model/types";
import { answerTrigger, insertAt, triggerAt } from "../../model/triggers";
import { Button } from "../parts/controls";
import { Icon } from "../parts/icon";
import { t } from "../text";
import { useAssist } from "./assist";
import { Attachments } from "./attachments";
import type { EmojiPanelProps } from "./emoji-panel";
import { quoteLine, quoteName } from "./quote";
import { SuggestionCard } from "./why";
import type { Suggestion } from "./suggest";
import { Suggest, offered, useSuggestions } from "./suggest";

export function ComposerView({ chat }: { readonly chat: Chat }) {
  const { composer } = chat;
  const input = useRef<HTMLTextAreaElement>(null);
  const picker = useRef<HTMLInputElement>(null);
  /** Where the caret belongs once the text that was put in is drawn. */
  const caret = useRef<number | null>(null);
  const listId = useId();
  const [trigger, setTrigger] = useState<Trigger | null>(null);
  const [chosen, setChosen] = useState(0);
  const [panel, setPanel] = useState(false);
  const actions = chat.actions.value;
  const text = composer.text.value;
  const mode = composer.mode.value;
  const over = composer.overBytes();
  const session = chat.session.value;
  const asked = trigger !== null && offered[mode].includes(trigger.kind) ? trigger : null;
  const suggestions = useSuggestions(chat, asked);
  const menu = asked !== null && suggestions.length > 0;
  const assist = useAssist(chat, () => input.current?.focus());

  // Grows with its text up to what the style allows.
  useLayoutEffect(() => {
    const element = input.current;
    if (element === null) return;
    element.style.height = "auto";
    element.style.height = `${element.scrollHeight}px`;
    if (caret.current !== null) element.setSelectionRange(caret.current, caret.current);
    caret.current = null;
  }, [text]);

  // On a screen with a keyboard the words go here at once: what is typed next must not be a shortcut.
  const writable = actions.reply || actions.note;
  useLayoutEffect(() => {
    if (writable && window.matchMedia("(min-width: 900px) and (pointer: fine)").matches) input.current?.focus();
  }, [composer, writable]);

  // Whoever has just taken the conversation writes next: what was pressed for it is gone, and the keyboard with it.
  useLayoutEffect(() => {
    if (actions.reply && document.activeElement === document.body) input.current?.focus();
  }, [actions.reply]);

  if (!writable) return <Locked chat={chat} />;

  const look = (next: Trigger | null) => {
    setTrigger(next);
    // A bare ":" may be just that: Enter sends it unless something was chosen.
    setChosen(next !== null && next.kind === "emoji" && next.query === "" ? -1 : 0);
  };
  const write = (next: { readonly text: string; readonly caret: number }) => {
    caret.current = next.caret;
    composer.setText(next.text);
    input.current?.focus();
  };
  const pick = (suggestion: Suggestion) => {
    if (asked === null) return;
    suggestion.picked?.();
    write(answerTrigger(text, asked, suggestion.put));
    look(null);
  };
  const put = (words: string) => {
    const element = input.current;
    const end = text.length;
    write(insertAt(text, element?.selectionStart ?? end, element?.selectionEnd ?? end, words));
  };
  /** As if the sign had been typed where the caret is. */
  const open = (sign: "/" | "@") => {
    const at = input.current?.selectionStart ?? text.length;
    const apart = at === 0 || /\s$/.test(text.slice(0, at)) ? sign : ` ${sign}`;
    const next = insertAt(text, at, at, apart);
    write(next);
    look(triggerAt(next.text, next.caret, offered[mode]));
  };
  const send = () => {
    if (!composer.send()) return;
    look(null);
    input.current?.focus();
  };
  const attach = (files: FileList | null | undefined) => {
    if (files !== null && files !== undefined && files.length > 0) composer.attach([...files]);
  };
  const pressed = (event: KeyboardEvent & { readonly currentTarget: HTMLTextAreaElement }) => {
    if (composing(event)) return;
    if (menu && (event.key === "ArrowDown" || event.key === "ArrowUp")) {
      event.preventDefault();
      const count = suggestions.length;
      setChosen(event.key === "ArrowDown" ? (chosen + 1) % count : (Math.max(chosen, 0) + count - 1) % count);
      return;
    }
    const suggestion = menu ? suggestions[chosen] : undefined;
    if (suggestion !== undefined && (event.key === "Enter" || event.key === "Tab") && !event.shiftKey) {
      event.preventDefault();
      pick(suggestion);
      return;
    }
    if (event.key === "Escape") {
      event.stopPropagation();
      if (menu) look(null);
      else event.currentTarget.blur();
      return;
    }
    if (sendsOnKey(event)) {
      event.preventDefault();
      send();
    }
  };

  return (
    <form
      class={`composer composer-${mode}`}
      data-testid="composer"
      data-mode={mode}
      onSubmit={(event) => {
        event.preventDefault();
        send();
      }}
    >
      <SuggestionCard chat={chat} onUsed={() => input.current?.focus()} />
      {mode === "reply" && assist?.menu}
      {menu && <Suggest id={listId} kind={asked.kind} suggestions={suggestions} chosen={chosen} onChoose={setChosen} onPick={pick} />}
      {panel && (
        <LazyEmojiPanel
          onClose={() => {
            setPanel(false);
            input.current?.focus();
          }}
          onPick={(sign) => {
            setPanel(false);
            put(sign);
          }}
        />
      )}
      <div class="composer-box">
        <div class="composer-modes" role="group" aria-label={t("composer.mode")}>
          {actions.reply && <ModeButton mode="reply" current={mode} onChoose={() => composer.setMode("reply")} />}
          {actions.note && <ModeButton mode="note" current={mode} onChoose={() => composer.setMode("note")} />}
          {mode === "note" && (actions.take || actions.takeOver || actions.join ? <ToReply chat={chat} /> : <span class="composer-hint">{actions.reply ? t("composer.note_hint") : session.status === "closed" ? t("composer.closed_hint") : t("composer.only_note_hint")}</span>)}
        </div>
        <Quoted chat={chat} />
        <textarea
          ref={input}
          class="composer-input"
          rows={1}
          dir="auto"
          placeholder={mode === "note" ? t("composer.note_placeholder") : t("composer.placeholder")}
          aria-label={mode === "note" ? t("composer.note_label") : t("composer.label")}
          aria-autocomplete="list"
          aria-controls={menu ? listId : undefined}
          aria-activedescendant={menu && chosen >= 0 ? `${listId}-${chosen}` : undefined}
          value={text}
          data-testid="composer-input"
          onInput={(event) => {
            const element = event.currentTarget;
            composer.setText(element.value);
            look(triggerAt(element.value, element.selectionStart, offered[mode]));
          }}
          onPaste={(event) => {
            const files = event.clipboardData?.files;
            if (files === undefined || files.length === 0) return;
            event.preventDefault();
            attach(files);
          }}
          onKeyDown={pressed}
          onBlur={() => look(null)}
        />
        <Attachments composer={composer} />
        <div class="composer-foot">
          <input ref={picker} type="file" multiple hidden data-testid="composer-file" onChange={(event) => {
            attach(event.currentTarget.files);
            event.currentTarget.value = "";
          }} />
          <Button kind="quiet" size="small" icon="paperclip" label={t("composer.attach")} testid="composer-attach" onClick={() => picker.current?.click()} />
          <Button kind="quiet" size="small" icon="smile" label={t("emoji.open")} popup="dialog" expanded={panel} testid="composer-emoji" onClick={() => setPanel(!panel)} />
          {mode === "reply" ? (
            <Button kind="quiet" size="small" icon="message-square-text" label={t("replies.open")} testid="composer-replies" onClick={() => open("/")} />
          ) : (
            <Button kind="quiet" size="small" icon="at-sign" label={t("mentions.open")} testid="composer-mention" onClick={() => open("@")} />
          )}
          {mode === "reply" && assist?.button}
          {mode === "reply" && assist?.state}
          {over > 0 && (
            <span class="composer-over" role="alert">
              {t("composer.too_long", { count: over })}
            </span>
          )}
          <span class="composer-keys">{t("composer.keys")}</span>
          <Button type="submit" kind="primary" size="small" icon="send" disabled={!composer.canSend.value} testid="composer-send" label={t("composer.send")}>
            {mode === "note" ? t("composer.save_note") : t("composer.send")}
          </Button>
        </div>
      </div>
    </form>
  );
}

/** The message that the next one answers. */
function Quoted({ chat }: { readonly chat: Chat }) {
  const seq = chat.composer.quoteSeq.value;
  if (seq === 0) return null;
  const entry = chat.entry(seq);
  return (
    <div class="composer-quote" data-testid="composer-quote">
      <Icon name="reply" size={14} />
      <button type="button" class="quote-jump" title={t("quote.show")} onClick={() => void chat.reach(seq)}>
        <span class="quote-name">{quoteName(chat, entry)}</span>
        <span class="quote-text">{quoteLine(entry)}</span>
      </button>
      <Button size="small" kind="quiet" icon="x" label={t("quote.remove")} onClick={() => chat.composer.quote(0)} />
    </div>
  );
}

/** Its code comes when it is opened for the first time. */
function LazyEmojiPanel(props: EmojiPanelProps) {
  const [view, setView] = useState<{ readonly Panel: ComponentType<EmojiPanelProps> } | null>(null);
  useLayoutEffect(() => {
    let gone = false;
    import("./emoji-panel").then((module) => gone || setView({ Panel: module.EmojiPanel }), () => gone || props.onClose());
    return () => {
      gone = true;
    };
  }, []);
  return view === null ? null : <view.Panel {...props} />;
}

function ModeButton({ mode, current, onChoose }: { readonly mode: Mode; readonly current: Mode; readonly onChoose: () => void }) {
  return (
    <button type="button" class={`mode mode-${mode}`} aria-pressed={mode === current} data-testid={`mode-${mode}`} onClick={onChoose}>
      {mode === "note" && <Icon name="lock" size={12} />}
      {mode === "note" ? t("composer.mode_note") : t("composer.mode_reply")}
    </button>
  );
}

/** What becomes of whoever has the session now. */
export function takeOverTitle(session: Session): string {
  return t(session.owner?.kind === "bot" ? "take_over_bot_title" : "take_over_title");
}

/** How the visitor can be answered, where so far only the team can be written to. */
function ToReply({ chat }: { readonly chat: Chat }) {
  const { take, takeOver, join } = chat.actions.value;
  return (
    <span class="composer-hint" data-testid="to-reply">
      {t("composer.to_reply")}
      {take && (
        <button type="button" class="link-button" onClick={() => void chat.command({ take: {} })}>
          {t("take")}
        </button>
      )}
      {takeOver && (
        <button type="button" class="link-button" title={takeOverTitle(chat.session.value)} onClick={() => void chat.command({ takeOver: {} })}>
          {t("take_over")}
        </button>
      )}
      {join && (
        <button type="button" class="link-button" onClick={() => void chat.command({ join: {} })}>
          {t("join")}
        </button>
      )}
    </span>
  );
}

/** Why nothing can be written here. */
function Locked({ chat }: { readonly chat: Chat }) {
  if (chat.session.value.id === "") return <div class="composer composer-unknown" />;
  return (
    <div class="composer composer-locked">
      <p>{chat.session.value.status === "closed" ? t("composer.closed") : t("composer.locked")}</p>
    </div>
  );
}
