// One row of the timeline. Everything a person wrote is drawn as text nodes.
import { toForm } from "@frontdesk/client";
import { clockTime, dayMark, fileSize } from "@frontdesk/i18n";
import { findLinks } from "@frontdesk/ui";
import { useState } from "preact/hooks";
import type { Chat } from "../../model/chat";
import { cutAtMentions } from "../../model/mentions";
import type { Bubble, TimelineRow } from "../../model/timeline-rows";
import type { FileInfo } from "../../model/types";
import { useConsole, useDesk } from "../context";
import { download, useBlob } from "../files";
import { Avatar } from "../parts/avatar";
import { Button } from "../parts/controls";
import { Icon } from "../parts/icon";
import { Dialog } from "../parts/overlay";
import { locale, problem, systemLine, t } from "../text";
import { Asked, Choices, Filled, Sources } from "./asked";
import { Quote } from "./quote";
import { SuggestedLine, WhyLine, WhyUnder } from "./why";

type RowProps = { readonly row: TimelineRow; readonly chat: Chat };

export function TimelineRowView({ row, chat }: RowProps) {
  const app = useConsole();
  switch (row.kind) {
    case "day":
      return (
        <div class="day-mark" role="separator">
          <span>{dayMark(row.atMs, app.now.peek(), locale())}</span>
        </div>
      );
    case "unread":
      return (
        <div class="unread-mark" role="separator" data-testid="unread-divider">
          <span>{t("timeline.new")}</span>
        </div>
      );
    case "system":
      if (row.systemKey === "bot.why") return <WhyLine row={row} />;
      if (row.systemKey === "bot.suggestion") return <SuggestedLine row={row} />;
      return (
        <p class="system-line" data-testid="system-line">
          {systemLine(row.systemKey, systemParams(chat, row.params))}
          <time class="system-time">{clockTime(row.entry.atMs, locale())}</time>
        </p>
      );
    case "message":
    case "note":
      return <BubbleView bubble={row} chat={chat} />;
  }
}

/** Where the server gives a team's id, its name in the reader's language. */
function systemParams(chat: Chat, params: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  const team = params["team"];
  if (team === undefined) return params;
  return { ...params, team: chat.teamName(team, locale()) || team };
}

function BubbleView({ bubble, chat }: { readonly bubble: Bubble; readonly chat: Chat }) {
  const { inbox } = useDesk();
  const row = chat.row.value;
  const { actor, side, body } = bubble;
  const note = bubble.kind === "note";
  const anonymous = side === "visitor" && actor.name === "" && (row === null || row.visitorName === "");
  const name = side === "visitor" ? actor.name || (row === null ? t("visitor") : inbox.nameOf(row)) : bubble.mine ? t("you") : actor.name || (actor.kind === "bot" ? t("bot") : t("api"));
  const picture = body.kind === "file" && body.file.width > 0;
  return (
    <article
      class={`message message-${side}${note ? " message-note" : ""}${bubble.first ? " message-first" : ""}${bubble.last ? " message-last" : ""}${bubble.outgoing !== null ? " message-outgoing" : ""}`}
      data-testid="message"
      data-seq={bubble.seq > 0 ? bubble.seq : undefined}
      data-side={side}
      data-kind={bubble.kind}
    >
      <span class="message-avatar">
        {bubble.last && side === "visitor" && <Avatar id={row?.visitor ?? actor.id} name={anonymous ? "" : name} size="small" {...(anonymous ? { icon: "user" as const } : {})} />}
      </span>
      <div class="message-body">
        {bubble.first && (
          <header class="message-head">
            <span class="message-name">{name}</span>
            {actor.kind === "bot" && (
              <span class="tag">
                <Icon name="bot" size={12} />
                {t("bot")}
              </span>
            )}
            {note && (
              <span class="tag tag-note">
                <Icon name="lock" size={12} />
                {t("note.mark")}
              </span>
            )}
            <time class="message-time">{clockTime(bubble.atMs, locale())}</time>
          </header>
        )}
        <div class="message-line">
          <div class={`bubble${picture ? " bubble-picture" : body.kind === "file" ? " bubble-file" : ""}${body.kind === "tombstone" ? " bubble-gone" : ""}`} tabIndex={-1}>
            {(body.kind === "text" || body.kind === "file" || body.kind === "formReply") && body.quoteSeq > 0 && <Quote chat={chat} seq={body.quoteSeq} />}
            <BodyView bubble={bubble} />
            {body.kind === "text" && <Sources sources={body.sources} />}
            {bubble.delivery !== null && <DeliveryMark delivery={bubble.delivery} />}
          </div>
          {bubble.outgoing === null && body.kind !== "tombstone" && (
            <span class="message-tools">
              <Button size="small" kind="quiet" icon="reply" label={t("quote")} testid="quote-button" onClick={() => {
                chat.composer.quote(bubble.seq);
                document.querySelector<HTMLElement>('[data-testid="composer-input"]')?.focus();
              }} />
              {body.kind === "text" && <Button size="small" kind="quiet" icon="copy" label={t("copy")} onClick={() => void chat.copy(body.text)} />}
              {bubble.mine && <Button size="small" kind="quiet" icon="trash-2" label={t("retract")} testid="retract-button" onClick={() => chat.ask({ kind: "retract", seq: bubble.seq })} />}
            </span>
          )}
        </div>
        {body.kind === "text" && body.choices !== undefined && body.choices.length > 0 && <Choices chat={chat} seq={bubble.seq} choices={body.choices} />}
        {bubble.why !== null && <WhyUnder why={bubble.why} />}
        {bubble.outgoing?.state.kind === "refused" && (
          <p class="message-refused" role="alert">
            <Icon name="circle-alert" size={14} />
            <span>{problem(bubble.outgoing.state.code)}</span>
            <button type="button" class="link-button" onClick={() => chat.conversation.retry(bubble.outgoing?.clientMsgId ?? "")}>
              {t("message.retry")}
            </button>
            {body.kind === "text" && (
              <button type="button" class="link-button" data-testid="message-rewrite" onClick={() => {
                if (bubble.outgoing !== null) chat.rewrite(bubble.outgoing);
                document.querySelector<HTMLElement>('[data-testid="composer-input"]')?.focus();
              }}>
                {t("edit")}
              </button>
            )}
            <button type="button" class="link-button" onClick={() => chat.conversation.discard(bubble.outgoing?.clientMsgId ?? "")}>
              {t("message.discard")}
            </button>
          </p>
        )}
      </div>
    </article>
  );
}

function BodyView({ bubble }: { readonly bubble: Bubble }) {
  const { body } = bubble;
  switch (body.kind) {
    case "text":
      return body.mentions === undefined ? <Words text={body.text} /> : <NoteWords text={body.text} mentions={body.mentions} />;
    case "file":
      return body.file.width > 0 ? <Picture file={body.file} /> : <FileChip file={body.file} />;
    case "form":
      return <Asked form={toForm(body.form)} />;
    case "formReply":
      return <Filled values={body.values} />;
    case "tombstone":
      return <span>{body.reason === "erased" ? t("message.erased") : t("message.retracted")}</span>;
    case "system":
    case "retraction":
    case "unsupported":
      return <span class="unsupported">{t("message.unsupported")}</span>;
  }
}

export function Words({ text }: { readonly text: string }) {
  return (
    <span class="words" dir="auto">
      <Links text={text} />
    </span>
  );
}

function Links({ text }: { readonly text: string }) {
  return (
    <>
      {findLinks(text).map((piece, at) =>
        piece.kind === "text" ? (
          piece.text
        ) : (
          <a key={at} href={piece.href} target="_blank" rel="noopener noreferrer nofollow">
            {piece.text}
          </a>
        ),
      )}
    </>
  );
}

/** The words of a note, with the colleagues it calls upon marked. */
function NoteWords({ text, mentions }: { readonly text: string; readonly mentions: readonly string[] }) {
  const { inbox, me } = useDesk();
  const people = inbox.directory.value.agents.filter((agent) => mentions.includes(agent.id));
  return (
    <span class="words" dir="auto">
      {cutAtMentions(text, people).map((piece, at) =>
        piece.mention === null ? (
          <Links key={at} text={piece.text} />
        ) : (
          <span key={at} class={piece.mention.id === me.id ? "mention mention-me" : "mention"} data-testid="mention">
            {piece.text}
          </span>
        ),
      )}
    </span>
  );
}

const pictureMax = { width: 320, height: 260 };

/** The room a picture takes, known before a byte of it has come. */
function room(file: FileInfo): { readonly width: number; readonly height: number } {
  const scale = Math.min(1, pictureMax.width / file.width, pictureMax.height / file.height);
  return { width: Math.max(48, Math.round(file.width * scale)), height: Math.max(48, Math.round(file.height * scale)) };
}

function Picture({ file }: { readonly file: FileInfo }) {
  const [attempt, setAttempt] = useState(0);
  const [open, setOpen] = useState(false);
  const blob = useBlob(`api/v1/files/${file.id}${file.hasThumbnail ? "/thumbnail" : ""}`, attempt);
  const { width, height } = room(file);
  const size = { width: `${width}px`, height: `${height}px` };
  if (blob.kind === "failed") {
    return (
      <button type="button" class="picture picture-failed" style={size} onClick={() => setAttempt(attempt + 1)}>
        <Icon name="image" size={20} />
        <span>{t("picture.failed")}</span>
        <span class="link-button">{t("retry")}</span>
      </button>
    );
  }
  return (
    <>
      <button type="button" class="picture" style={size} aria-label={t("picture.open", { name: file.name })} title={file.name} onClick={() => setOpen(true)}>
        {blob.kind === "ready" && <img src={blob.url} alt={file.name} width={width} height={height} draggable={false} />}
      </button>
      {open && <PictureDialog file={file} onClose={() => setOpen(false)} />}
    </>
  );
}

function PictureDialog({ file, onClose }: { readonly file: FileInfo; readonly onClose: () => void }) {
  const app = useConsole();
  const blob = useBlob(`api/v1/files/${file.id}`);
  return (
    <Dialog title={file.name} onClose={onClose} wide>
      <div class="picture-whole">
        {blob.kind === "ready" && <img src={blob.url} alt={file.name} />}
        {blob.kind === "failed" && <p>{t("picture.failed")}</p>}
      </div>
      <footer class="dialog-foot">
        <span class="meta">{fileSize(file.sizeBytes, locale())}</span>
        <Button icon="download" onClick={() => void download(`api/v1/files/${file.id}`, file.name).catch(() => app.notices.show("danger", "download.failed"))}>
          {t("download")}
        </Button>
      </footer>
    </Dialog>
  );
}

function FileChip({ file }: { readonly file: FileInfo }) {
  const app = useConsole();
  return (
    <button type="button" class="file-chip" title={t("download.name", { name: file.name })} data-testid="file-chip" onClick={() => void download(`api/v1/files/${file.id}`, file.name).catch(() => app.notices.show("danger", "download.failed"))}>
      <span class="file-icon">
        <Icon name="file" size={20} />
      </span>
      <span class="file-text">
        <span class="file-name">{file.name}</span>
        <span class="meta">{fileSize(file.sizeBytes, locale())}</span>
      </span>
      <Icon name="download" />
    </button>
  );
}

const deliveryIcons = { sending: "clock", sent: "check", delivered: "check-check", read: "check-check", refused: "circle-alert" } as const;

function DeliveryMark({ delivery }: { readonly delivery: NonNullable<Bubble["delivery"]> }) {
  const text = t(`state.${delivery}`);
  return (
    <span class={`delivery delivery-${delivery}`} title={text} data-testid="delivery" data-state={delivery}>
      <Icon name={deliveryIcons[delivery]} size={14} />
      <span class="visually-hidden">{text}</span>
    </span>
  );
}
