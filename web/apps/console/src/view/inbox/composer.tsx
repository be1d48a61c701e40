// Where the agent writes. Reply and note look different; "/" opens the canned replies; files come by
// paste, drop or the clip.
import { fileSize, localText } from "@frontdesk/i18n";
import { useId, useLayoutEffect, useRef, useState } from "preact/hooks";
import type { Chat } from "../../model/chat";
import type { Attachment, Mode } from "../../model/composer";
import type { CannedReply } from "../../model/replies";
import { fillReply, findReplies, replyQuery } from "../../model/replies";
import { composing, sendsOnKey } from "../../model/shortcuts";
import { useDesk } from "../context";
import { Button } from "../parts/controls";
import { Icon } from "../parts/icon";
import { locale, problem, t } from "../text";
import { quoteLine } from "./message";

const repliesShownMax = 8;

export function ComposerView({ chat }: { readonly chat: Chat }) {
  const { inbox, me } = useDesk();
  const { composer } = chat;
  const input = useRef<HTMLTextAreaElement>(null);
  const picker = useRef<HTMLInputElement>(null);
  const listId = useId();
  const [query, setQuery] = useState<string | null>(null);
  const [chosen, setChosen] = useState(0);
  const actions = chat.actions.value;
  const text = composer.text.value;
  const mode = composer.mode.value;
  const attachments = composer.attachments.value;
  const over = composer.overBytes();
  const session = chat.session.value;
  const replies = query === null || mode === "note" ? [] : findReplies(inbox.directory.value.replies, query, repliesShownMax);
  const menu = replies.length > 0;

  // Grows with its text up to what the style allows.
  useLayoutEffect(() => {
    const element = input.current;
    if (element === null) return;
    element.style.height = "auto";
    element.style.height = `${element.scrollHeight}px`;
  }, [text]);

  // On a screen with a keyboard the words go here at once: what is typed next must not be a shortcut.
  const writable = actions.reply || actions.note;
  useLayoutEffect(() => {
    if (writable && window.matchMedia("(min-width: 900px) and (pointer: fine)").matches) input.current?.focus();
  }, [composer, writable]);

  if (!writable) return <Locked chat={chat} />;

  const put = (reply: CannedReply) => {
    const row = chat.row.peek();
    composer.setText(fillReply(localText(reply.texts, locale()), { visitor: row === null || row.visitorName === "" ? t("visitor.you_formal") : row.visitorName, agent: me.display_name }));
    setQuery(null);
    input.current?.focus();
  };
  const send = () => {
    if (!composer.send()) return;
    setQuery(null);
    input.current?.focus();
  };
  const attach = (files: FileList | null | undefined) => {
    if (files !== null && files !== undefined && files.length > 0) composer.attach([...files]);
  };
  const typed = (element: HTMLTextAreaElement) => {
    composer.setText(element.value);
    setQuery(replyQuery(element.value, element.selectionStart));
    setChosen(0);
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
      {menu && (
        <div class="replies" role="listbox" id={listId} aria-label={t("replies.label")} data-testid="replies-menu">
          {replies.map((reply, at) => (
            <div key={reply.id} id={`${listId}-${at}`} role="option" aria-selected={at === chosen} class="reply-option" onMouseEnter={() => setChosen(at)} onMouseDown={(event) => {
              event.preventDefault();
              put(reply);
            }}>
              <span class="reply-shortcut">/{reply.shortcut}</span>
              <span class="reply-text">{localText(reply.texts, locale())}</span>
            </div>
          ))}
        </div>
      )}
      <div class="composer-box">
        <div class="composer-modes" role="group" aria-label={t("composer.mode")}>
          {actions.reply && <ModeButton mode="reply" current={mode} onChoose={() => composer.setMode("reply")} />}
          {actions.note && <ModeButton mode="note" current={mode} onChoose={() => composer.setMode("note")} />}
          {mode === "note" && <span class="composer-hint">{actions.reply ? t("composer.note_hint") : session.status === "closed" ? t("composer.closed_hint") : t("composer.only_note_hint")}</span>}
        </div>
        {composer.quoteSeq.value > 0 && mode === "reply" && (
          <div class="composer-quote">
            <Icon name="reply" size={14} />
            <span class="quote-text">{quoteLine(chat.entry(composer.quoteSeq.value))}</span>
            <Button size="small" kind="quiet" icon="x" label={t("quote.remove")} onClick={() => (composer.quoteSeq.value = 0)} />
          </div>
        )}
        <textarea
          ref={input}
          class="composer-input"
          rows={1}
          dir="auto"
          placeholder={mode === "note" ? t("composer.note_placeholder") : t("composer.placeholder")}
          aria-label={mode === "note" ? t("composer.note_label") : t("composer.label")}
          aria-autocomplete="list"
          aria-controls={menu ? listId : undefined}
          aria-activedescendant={menu ? `${listId}-${chosen}` : undefined}
          value={text}
          data-testid="composer-input"
          onInput={(event) => typed(event.currentTarget)}
          onPaste={(event) => {
            const files = event.clipboardData?.files;
            if (files === undefined || files.length === 0) return;
            event.preventDefault();
            attach(files);
          }}
          onKeyDown={(event) => {
            if (composing(event)) return;
            if (menu && (event.key === "ArrowDown" || event.key === "ArrowUp")) {
              event.preventDefault();
              setChosen((chosen + (event.key === "ArrowDown" ? 1 : -1) + replies.length) % replies.length);
              return;
            }
            const reply = replies[chosen];
            if (menu && reply !== undefined && (event.key === "Enter" || event.key === "Tab") && !event.shiftKey) {
              event.preventDefault();
              put(reply);
              return;
            }
            if (event.key === "Escape") {
              event.stopPropagation();
              if (query !== null && menu) setQuery(null);
              else event.currentTarget.blur();
              return;
            }
            if (sendsOnKey(event)) {
              event.preventDefault();
              send();
            }
          }}
          onBlur={() => setQuery(null)}
        />
        {attachments.length > 0 && (
          <ul class="attachments" aria-label={t("composer.attachments")}>
            {attachments.map((file) => (
              <AttachmentChip key={file.id} file={file} onRemove={() => composer.removeAttachment(file.id)} />
            ))}
          </ul>
        )}
        <div class="composer-foot">
          <input ref={picker} type="file" multiple hidden data-testid="composer-file" onChange={(event) => {
            attach(event.currentTarget.files);
            event.currentTarget.value = "";
          }} />
          <Button kind="quiet" size="small" icon="paperclip" label={t("composer.attach")} testid="composer-attach" onClick={() => picker.current?.click()} />
          {mode === "reply" && (
            <Button kind="quiet" size="small" icon="message-square-text" label={t("replies.open")} testid="composer-replies" onClick={() => {
              composer.setText("/");
              setQuery("");
              setChosen(0);
              input.current?.focus();
            }} />
          )}
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

function ModeButton({ mode, current, onChoose }: { readonly mode: Mode; readonly current: Mode; readonly onChoose: () => void }) {
  return (
    <button type="button" class={`mode mode-${mode}`} aria-pressed={mode === current} data-testid={`mode-${mode}`} onClick={onChoose}>
      {mode === "note" && <Icon name="lock" size={12} />}
      {mode === "note" ? t("composer.mode_note") : t("composer.mode_reply")}
    </button>
  );
}

function AttachmentChip({ file, onRemove }: { readonly file: Attachment; readonly onRemove: () => void }) {
  const { state } = file;
  const percent = state.kind === "uploading" ? Math.round(state.share * 100) : 100;
  return (
    <li class={`attachment attachment-${state.kind}`} data-testid="attachment" data-state={state.kind}>
      <Icon name={file.mediaType.startsWith("image/") ? "image" : "file"} />
      <span class="attachment-text">
        <span class="file-name">{file.name}</span>
        {state.kind === "failed" ? <span class="attachment-error">{problem(state.failure.code)}</span> : <span class="meta">{fileSize(file.sizeBytes, locale())}</span>}
      </span>
      {state.kind === "uploading" && <progress max={100} value={percent} aria-label={t("upload.progress", { name: file.name, percent })} />}
      <Button size="small" kind="quiet" icon="x" label={state.kind === "uploading" ? t("upload.cancel", { name: file.name }) : t("attachment.remove", { name: file.name })} onClick={onRemove} />
    </li>
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
