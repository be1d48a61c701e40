// Little pictures for the text. Loaded when the button is first pressed.
import type { JSX } from "preact";
import { useEffect, useRef } from "preact/hooks";
import type { Chat } from "../model/chat";

/** What people write to a shop, most used first; all of them older than the oldest browsers we serve. */
const EMOJI =
  "😀 😃 😄 😁 😅 😂 🙂 😉 😊 😍 😘 😋 😎 🤔 😐 😏 😮 😴 😌 😕 🙁 😢 😭 😤 😡 😱 🤗 🙄 👍 👎 👌 👏 🙏 💪 👋 ✌️ 👀 ❤️ 💔 💯 ✨ 🔥 🎉 🎁 🌹 🌸 🍀 🍵 ☕ 🎂 📦 🚚 📷 📞 💰 🛒 ✅ ❌ ❓ ❗".split(" ");
const COLUMNS = 10;

export function Emoji({ chat }: { chat: Chat }): JSX.Element {
  const panel = useRef<HTMLDivElement>(null);
  const close = (): void => {
    chat.choosing.value = false;
  };

  useEffect(() => {
    panel.current?.querySelector("button")?.focus();
    const outside = (event: Event): void => {
      const at = event.target instanceof Element ? event.target : null;
      if (at && panel.current?.contains(at) !== true && !at.closest(".composer-emoji")) close();
    };
    document.addEventListener("pointerdown", outside);
    return () => document.removeEventListener("pointerdown", outside);
  }, []);

  const choose = (emoji: string): void => {
    const input = document.querySelector<HTMLTextAreaElement>(".composer textarea");
    if (!input) return;
    const { selectionStart: from, selectionEnd: to, value } = input;
    chat.write(value.slice(0, from) + emoji + value.slice(to));
    close();
    input.focus();
    // Once the text stands there.
    window.requestAnimationFrame(() => input.setSelectionRange(from + emoji.length, from + emoji.length));
  };

  const onKeyDown = (event: KeyboardEvent): void => {
    if (event.key === "Escape") {
      event.stopPropagation();
      close();
      chat.focusText();
      return;
    }
    const step = { ArrowRight: 1, ArrowLeft: -1, ArrowDown: COLUMNS, ArrowUp: -COLUMNS }[event.key];
    if (step === undefined) return;
    event.preventDefault();
    const buttons = Array.from(panel.current?.querySelectorAll("button") ?? []);
    const at = buttons.findIndex((button) => button === document.activeElement);
    buttons[Math.min(buttons.length - 1, Math.max(0, at + step))]?.focus();
  };

  return (
    <div class="emoji" role="dialog" aria-label={chat.texts.t("widget.emoji")} ref={panel} onKeyDown={onKeyDown}>
      {EMOJI.map((emoji, at) => (
        <button key={emoji} type="button" tabIndex={at === 0 ? 0 : -1} onClick={() => choose(emoji)}>
          {emoji}
        </button>
      ))}
    </div>
  );
}
