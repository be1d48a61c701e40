// Where a waiting visitor stands, in words. Loaded with the first place.
import { duration } from "@frontdesk/i18n";
import type { JSX } from "preact";
import type { Chat } from "../model/chat";

export function QueuePlace({ chat }: { chat: Chat }): JSX.Element | null {
  const { texts } = chat;
  const place = chat.client.conversation.queuePlace.value;
  if (!place || chat.attended.value === false) return null;
  const before = (place.place ?? 1) - 1;
  const wait = place.waitMs ?? 0;
  const parts = [before > 0 ? texts.t("widget.queue_place", { count: before }) : texts.t("widget.queue_next")];
  if (wait > 0) parts.push(texts.t("widget.queue_wait", { duration: duration(wait, texts.locale.value) }));
  else if (before === 0) parts.push(texts.t("widget.queue_wait_short"));
  return (
    <p class="queue-place" role="status">
      {parts.join(" · ")}
    </p>
  );
}
