// A message that another one answers: over the composer while the answer is written, and in the
// answer. Loaded with the first quote.
import type { Body, EntryLine } from "@frontdesk/client";
import { enumerated } from "@frontdesk/i18n";
import { IconButton } from "@frontdesk/ui";
import type { JSX } from "preact";
import { useState } from "preact/hooks";
import type { Chat } from "../model/chat";
import type { Reached } from "../model/reach";
import { reach } from "../model/reach";

function Quoted({ chat, line }: { chat: Chat; line: EntryLine | undefined }): JSX.Element {
  const { texts } = chat;
  if (!line) return <span class="quote-words">{texts.t("widget.quote_earlier")}</span>;
  const own = chat.client.conversation.isOwn(line);
  return (
    <>
      <b>{own ? texts.t("widget.you") : line.actor.name || texts.t("widget.team")}</b>
      <span class="quote-words">{inWords(chat, line.body)}</span>
    </>
  );
}

function inWords({ texts }: Chat, body: Body): string {
  switch (body.kind) {
    case "text":
      return body.text;
    case "file":
      return body.file.name;
    case "form":
      return body.form.title ?? "";
    case "formReply":
      return enumerated(body.values.map(({ value }) => value ?? ""), texts.locale.value);
    case "tombstone":
      return texts.t(body.reason === "erased" ? "message.erased" : "message.retracted");
    case "system":
    case "retraction":
    case "unsupported":
      return texts.t("message.unsupported");
  }
}

/** In a bubble: a press goes to what is quoted, or says why it does not. */
export function Quote({ chat, seq }: { chat: Chat; seq: number }): JSX.Element {
  const { texts } = chat;
  const [state, setState] = useState<"" | "reaching" | Exclude<Reached, HTMLElement>>("");
  const go = async (): Promise<void> => {
    if (state === "reaching") return;
    setState("reaching");
    const reached = await reach(chat, seq);
    if (typeof reached !== "string") show(reached);
    setState(typeof reached === "string" ? reached : "");
  };
  return (
    <button type="button" class="quote" aria-busy={state === "reaching"} onClick={() => void go()}>
      <span class="visually-hidden">{texts.t("widget.quote")}: </span>
      <Quoted chat={chat} line={chat.lineOf(seq)} />
      {state === "" || state === "reaching" ? null : (
        <span class="quote-words" role="alert">
          {texts.t(state)}
        </span>
      )}
    </button>
  );
}

/** Over the composer. */
export function Quoting({ chat }: { chat: Chat }): JSX.Element | null {
  const line = chat.lineOf(chat.quoting.value);
  if (!line) return null;
  return (
    <div class="quoting" role="group" aria-label={chat.texts.t("widget.quote")}>
      <span class="quote">
        <Quoted chat={chat} line={line} />
      </span>
      <IconButton icon="x" label={chat.texts.t("widget.quote_cancel")} onClick={() => chat.quote(0)} />
    </div>
  );
}

function show(row: HTMLElement): void {
  const calm = window.matchMedia("(prefers-reduced-motion: reduce)").matches;
  row.scrollIntoView({ block: "center", behavior: calm ? "auto" : "smooth" });
  row.classList.remove("found");
  // Read for its effect: the animation begins anew.
  void row.offsetWidth;
  row.classList.add("found");
}
