// The window: header, notices, timeline, composer, and the two questions it may ask.
import { Banner, Composer, Drawing } from "@frontdesk/ui";
import type { JSX } from "preact";
import { useState } from "preact/hooks";
import type { Chat } from "../model/chat";
import { Header } from "./header";
import { Lazy } from "./lazy";
import { Timeline } from "./timeline";

const loadDrop = () => import("./drop").then((module) => module.Drop);
const loadPerson = () => import("./asked").then((module) => module.Person);
const loadUploads = () => import("./uploads").then((module) => module.Uploads);
const loadQuoting = () => import("./quote").then((module) => module.Quoting);
const loadEmoji = () => import("./emoji").then((module) => module.Emoji);
const questions = () => import("./questions").then((module) => module.Questions);
const loadQueue = () => import("./queue").then((module) => module.QueuePlace);
const loadTrouble = () => import("./trouble").then((module) => module.Trouble);
const loadTooLong = () => import("./trouble").then((module) => module.TooLong);
const loadStopped = () => import("./trouble").then((module) => module.Stopped);

/** From Lucide, as the other icons. */
const SMILE = ["M12 2a10 10 0 1 0 0 20 10 10 0 1 0 0-20", "M8 14s1.5 2 4 2 4-2 4-2", "M9 9h.01", "M15 9h.01"];

export function App({ chat }: { chat: Chat }): JSX.Element | null {
  const stage = chat.stage.value;
  if (!chat.ready.value) return null;
  const onKeyDown = (event: KeyboardEvent): void => {
    if (event.key === "Escape" && chat.framed) chat.close();
  };
  return (
    <main class="window" onKeyDown={onKeyDown}>
      <Header chat={chat} />
      {stage.kind === "stopped" ? <Lazy load={loadStopped} props={{ chat, code: stage.code }} /> : <Conversation chat={chat} />}
      {chat.question.value === "none" ? null : <Lazy load={questions} props={{ chat }} />}
      <p class="visually-hidden" role="status" aria-live="polite">
        {chat.announcement.value}
      </p>
    </main>
  );
}

function Conversation({ chat }: { chat: Chat }): JSX.Element {
  const { texts } = chat;
  const [dropping, setDropping] = useState(false);
  return (
    <div
      class="conversation"
      onDragOver={(event) => {
        event.preventDefault();
        setDropping(event.dataTransfer?.types.includes("Files") === true);
      }}
      onDragLeave={(event) => {
        // Entering a child leaves the parent too; only the way out counts.
        if (!(event.relatedTarget instanceof Node && event.currentTarget.contains(event.relatedTarget))) setDropping(false);
      }}
      onDrop={(event) => {
        event.preventDefault();
        setDropping(false);
        chat.attach(Array.from(event.dataTransfer?.files ?? []));
      }}
    >
      {dropping ? <Lazy load={loadDrop} props={{ chat }} /> : null}
      <Notices chat={chat} />
      <Timeline chat={chat} />
      <Composer
        value={chat.draft.value}
        placeholder={texts.t("widget.placeholder")}
        sendLabel={texts.t("composer.send")}
        attachLabel={texts.t("composer.attach")}
        disabled={false}
        canSend={chat.draft.value.trim() !== "" && !chat.tooLong.value}
        onInput={(text) => chat.write(text)}
        onSend={() => chat.send()}
        onFiles={(files) => chat.attach(files)}
        beside={
          <button
            type="button"
            class="icon-button composer-emoji"
            aria-label={texts.t("widget.emoji")}
            title={texts.t("widget.emoji")}
            aria-expanded={chat.choosing.value}
            onClick={() => (chat.choosing.value = !chat.choosing.peek())}
          >
            <Drawing paths={SMILE} />
          </button>
        }
      >
        {chat.byBot.value ? <Lazy load={loadPerson} props={{ chat }} /> : null}
        {chat.choosing.value ? <Lazy load={loadEmoji} props={{ chat }} /> : null}
        {chat.quoting.value > 0 ? <Lazy load={loadQuoting} props={{ chat }} /> : null}
        {chat.tooLong.value ? <Lazy load={loadTooLong} props={{ chat }} /> : null}
        {chat.files.uploads.value.length > 0 ? <Lazy load={loadUploads} props={{ chat }} /> : null}
      </Composer>
    </div>
  );
}

function Notices({ chat }: { chat: Chat }): JSX.Element {
  const { texts } = chat;
  const queued = chat.client.conversation.session.value?.status === "SESSION_STATUS_QUEUED";
  const unsent = chat.client.conversation.outgoing.value.length;
  return (
    <>
      {chat.offline.value ? (
        <Banner
          icon="alert"
          text={unsent > 0 ? texts.t("offline.unsent", { count: unsent }) : texts.t("offline.bar")}
          action={texts.t("offline.retry")}
          onAction={() => chat.client.reconnect()}
        />
      ) : null}
      {chat.trouble.value === "" ? null : <Lazy load={loadTrouble} props={{ chat }} />}
      {queued && chat.client.conversation.queuePlace.value && chat.inbox.value.showsPlace ? <Lazy load={loadQueue} props={{ chat }} /> : null}
    </>
  );
}
