// Asked once after a session that somebody answered: how was it?
import { Button, Drawing } from "@frontdesk/ui";
import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { rate } from "../model/actions";
import type { Chat } from "../model/chat";

/** From Lucide, as the other icons. */
const STAR = ["M11.525 2.295a.53.53 0 0 1 .95 0l2.31 4.679a2.123 2.123 0 0 0 1.595 1.16l5.166.756a.53.53 0 0 1 .294.904l-3.736 3.638a2.123 2.123 0 0 0-.611 1.878l.882 5.14a.53.53 0 0 1-.771.56l-4.618-2.428a2.122 2.122 0 0 0-1.973 0L6.396 21.01a.53.53 0 0 1-.77-.56l.881-5.139a2.122 2.122 0 0 0-.611-1.879L2.16 9.795a.53.53 0 0 1 .294-.906l5.165-.755a2.122 2.122 0 0 0 1.597-1.16z"];
const STARS = [1, 2, 3, 4, 5] as const;

export function Rating({ chat, session }: { chat: Chat; session: string }): JSX.Element {
  const { texts } = chat;
  const [stars, setStars] = useState(0);
  const [comment, setComment] = useState("");
  const [failed, setFailed] = useState(false);
  const send = async (): Promise<void> => setFailed(!(await rate(chat, session, stars, comment.trim())));
  return (
    <form
      class="rating"
      onSubmit={(event) => {
        event.preventDefault();
        void send();
      }}
    >
      <fieldset>
        <legend>{texts.t("widget.rate_title")}</legend>
        {STARS.map((star) => (
          <label key={star} class={star <= stars ? "star star-on" : "star"} title={texts.t("widget.rate_star", { count: star })}>
            <input type="radio" name="stars" value={star} checked={star === stars} onChange={() => setStars(star)} class="visually-hidden" />
            <Drawing paths={STAR} />
            <span class="visually-hidden">{texts.t("widget.rate_star", { count: star })}</span>
          </label>
        ))}
      </fieldset>
      {stars > 0 ? (
        <textarea
          rows={2}
          maxLength={1000}
          value={comment}
          placeholder={texts.t("widget.rate_comment")}
          aria-label={texts.t("widget.rate_comment")}
          onInput={(event) => setComment(event.currentTarget.value)}
        />
      ) : null}
      {failed ? <p role="alert">{texts.t("widget.rate_failed")}</p> : null}
      <div class="dialog-actions">
        <Button onClick={() => (chat.ratingPutOff.value = session)}>{texts.t("widget.rate_later")}</Button>
        {stars > 0 ? (
          <Button kind="primary" type="submit">
            {texts.t("widget.rate_send")}
          </Button>
        ) : null}
      </div>
    </form>
  );
}
