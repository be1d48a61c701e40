// The conversation: greeting, messages, what happened, who types, and what the visitor is asked.
import { clockTime, dayMark, systemText } from "@frontdesk/i18n";
import { Avatar, Drawing, Icon, Scroller, Skeleton } from "@frontdesk/ui";
import type { JSX } from "preact";
import type { Chat } from "../model/chat";
import type { MessageRow, Row } from "../model/rows";
import { MessageBody } from "./body";
import { Lazy } from "./lazy";
import { Welcome } from "./welcome";

const loadLatest = () => import("./latest").then((module) => module.Latest);
const loadAsked = () => import("./asked").then((module) => module.Asked);
const loadRefused = () => import("./refused").then((module) => module.Refused);
const loadContact = () => import("./contact").then((module) => module.ContactForm);
const loadQuote = () => import("./quote").then((module) => module.Quote);
const loadRating = () => import("./rating").then((module) => module.Rating);

export function Timeline({ chat }: { chat: Chat }): JSX.Element {
  const { texts } = chat;
  return (
    <div class="timeline">
      <Scroller<Row>
        rows={chat.rows.value}
        render={(row) => <Line chat={chat} row={row} />}
        label={texts.t("widget.conversation")}
        estimatePx={52}
        header={<Beginning chat={chat} />}
        footer={<End chat={chat} />}
        onNearTop={() => void chat.loadOlder()}
        onAtEnd={(atEnd) => {
          chat.atEnd.value = atEnd;
        }}
        toEnd={chat.toEnd.value}
      />
      {chat.atEnd.value ? null : <Lazy load={loadLatest} props={{ chat }} />}
    </div>
  );
}

function Beginning({ chat }: { chat: Chat }): JSX.Element | null {
  const { texts } = chat;
  const conversation = chat.client.conversation;
  if (chat.client.known && !conversation.loaded.value && chat.rows.value.length === 0) return <Skeleton lines={3} label={texts.t("timeline.older")} />;
  if (conversation.timeline.moreBefore.value) {
    return chat.olderFailed.value ? (
      <p class="system">
        {texts.t("timeline.older_failed")}{" "}
        <button type="button" class="link" onClick={() => void chat.loadOlder()}>
          {texts.t("message.retry")}
        </button>
      </p>
    ) : (
      <p class="system">{texts.t("timeline.older")}</p>
    );
  }
  return <Welcome chat={chat} />;
}

function End({ chat }: { chat: Chat }): JSX.Element {
  const { texts } = chat;
  const typing = chat.client.conversation.typing.value;
  const rating = chat.ratable.value;
  const session = chat.client.conversation.session.value?.id ?? "";
  return (
    <div class="end">
      {typing && !typing.text && chat.inbox.value.showsTyping ? (
        <p class="typing">{typing.actor.name === "" ? texts.t("widget.typing_somebody") : texts.t("widget.typing", { name: typing.actor.name })}</p>
      ) : null}
      {chat.asksContact.value ? <Lazy load={loadContact} props={{ chat }} /> : null}
      {chat.contact.value === "given" ? <p class="system">{texts.t("widget.contact_thanks")}</p> : null}
      {rating === "" ? null : <Lazy key={rating} load={loadRating} props={{ chat, session: rating }} />}
      {session !== "" && session === chat.ratingThanked.value ? <p class="system">{texts.t("widget.rate_thanks")}</p> : null}
    </div>
  );
}

function Line({ chat, row }: { chat: Chat; row: Row }): JSX.Element {
  const { texts } = chat;
  switch (row.kind) {
    case "day":
      return <p class="day">{dayMark(row.atMs, Date.now(), texts.locale.value)}</p>;
    case "new":
      return <p class="new-mark">{texts.t("timeline.new")}</p>;
    case "system":
      return <p class="system">{systemText(texts, row.text, row.params)}</p>;
    case "message":
      return <Message chat={chat} row={row} />;
  }
}

/** From Lucide, as the other icons. */
const REPLY = ["M20 18v-2a4 4 0 0 0-4-4H4", "m9 17-5-5 5-5"];

function Message({ chat, row }: { chat: Chat; row: MessageRow }): JSX.Element {
  const { texts } = chat;
  const { body, line } = row;
  const isText = body.kind === "text";
  // What was picked stands right under its question.
  const quoted = (isText && !body.choice) || body.kind === "file" ? body.quoteSeq : 0;
  const name = row.actor?.name || texts.t("widget.team");
  return (
    <div class={`message ${row.own ? "message-own" : "message-other"}`}>
      {row.own ? null : row.first ? <Avatar name={name} /> : <span class="avatar-gap" />}
      <div class="message-column">
        {row.own || !row.first ? null : (
          <p class="message-name">
            {name}
            {row.actor?.kind === "bot" ? <span class="bot">{texts.t("widget.bot")}</span> : null}
          </p>
        )}
        <div class="bubble-row">
          <div class={`bubble bubble-${body.kind}`}>
            <span class="visually-hidden">{row.own ? texts.t("widget.you") : name}: </span>
            {quoted > 0 ? <Lazy load={loadQuote} props={{ chat, seq: quoted }} meanwhile={<span class="quote" />} /> : null}
            <MessageBody chat={chat} body={body} />
          </div>
          {line.kind === "entry" && (isText || body.kind === "file") ? (
            <button type="button" class="icon-button reply" aria-label={texts.t("widget.reply")} title={texts.t("widget.reply")} onClick={() => chat.quote(line.seq)}>
              <Drawing paths={REPLY} small />
            </button>
          ) : null}
        </div>
        {body.kind === "form" || (isText && (body.choices || body.sources)) ? <Lazy load={loadAsked} props={{ chat, row }} /> : null}
        {row.last || line.kind === "outgoing" ? <Below chat={chat} row={row} /> : null}
      </div>
    </div>
  );
}

const MARKS = { sending: "clock", sent: "check", delivered: "checkCheck", read: "checkCheck", refused: "alert" } as const;

/** Time and state of a message; what can be done with one that was refused. */
function Below({ chat, row }: { chat: Chat; row: MessageRow }): JSX.Element {
  const { texts } = chat;
  const time = <time dateTime={new Date(row.atMs).toISOString()}>{clockTime(row.atMs, texts.locale.value)}</time>;
  if (!row.own) return <p class="message-below">{time}</p>;
  const { line } = row;
  const state = line.kind === "entry" ? chat.deliveryOf(line) : line.state.kind;
  const label = texts.t(`state.${state}`);
  if (line.kind === "outgoing" && line.state.kind === "refused") {
    const meanwhile = <p class="message-below message-refused">{label}</p>;
    return <Lazy load={loadRefused} props={{ chat, code: line.state.code, clientMsgId: line.clientMsgId }} meanwhile={meanwhile} />;
  }
  return (
    <p class="message-below">
      {time}
      <span class={`mark mark-${state}`} title={label}>
        <Icon name={MARKS[state]} small />
        <span class="visually-hidden">{label}</span>
      </span>
    </p>
  );
}
