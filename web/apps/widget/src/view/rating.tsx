// Asked once after a session that somebody answered: how was it?
import { Button, Icon } from "@frontdesk/ui";
import type { JSX } from "preact";
import { useState } from "preact/hooks";
import type { Chat } from "../model/chat";

const STARS = [1, 2, 3, 4, 5] as const;

export function Rating({ chat, session }: { chat: Chat; session: string }): JSX.Element {
  const { texts } = chat;
  const [stars, setStars] = useState(0);
  const [comment, setComment] = useState("");
  const [failed, setFailed] = useState(false);
  const send = async (): Promise<void> => setFailed(!(await chat.rate(session, stars, comment.trim())));
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
            <Icon name="star" />
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
