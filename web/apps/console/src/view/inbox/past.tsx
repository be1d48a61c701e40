// Earlier sessions of the same visitor: when, with whom, how soon they were answered, what they said of
// it.
import { dateOf, duration } from "@frontdesk/i18n";
import { useState } from "preact/hooks";
import type { PastSession } from "../../model/api";
import { useConsole } from "../context";
import { locale, t } from "../text";

/** More are a click away. */
const shownFirst = 3;

const reasons: Readonly<Partial<Record<string, "past.by_agent" | "past.by_visitor" | "past.by_idle">>> = {
  agent: "past.by_agent",
  visitor: "past.by_visitor",
  idle: "past.by_idle",
};

export function PastSessions({ sessions }: { readonly sessions: readonly PastSession[] }) {
  const app = useConsole();
  const [all, setAll] = useState(false);
  if (sessions.length === 0) return null;
  // The server sends the newest ones; the number of the newest tells how many there were.
  const earlier = Math.max(sessions.length, sessions[0]?.number ?? 0);
  const shown = all ? sessions : sessions.slice(0, shownFirst);
  return (
    <section data-testid="past-sessions">
      <h3 class="details-title">{t("past.title", { count: earlier })}</h3>
      <ol class="past-list">
        {shown.map((past) => {
          const reason = reasons[past.close_reason];
          return (
            <li key={past.id} class="past">
              <span class="past-line">
                <span class="past-when">{dateOf(past.opened_at_ms, app.now.value, locale())}</span>
                <span class="past-who">{past.owner_name === "" ? t("details.nobody") : past.owner_name}</span>
                {past.rating !== undefined && past.rating > 0 && <Stars stars={past.rating} />}
              </span>
              <span class="meta">
                {[
                  past.first_answer_ms === undefined ? t("past.unanswered") : t("past.answered", { duration: duration(past.first_answer_ms, locale()) }),
                  t("past.took", { duration: duration(Math.max(0, past.closed_at_ms - past.opened_at_ms), locale()) }),
                  reason === undefined ? "" : t(reason),
                ]
                  .filter((part) => part !== "")
                  .join(" · ")}
              </span>
              {past.rating_comment !== "" && <span class="past-comment">{past.rating_comment}</span>}
            </li>
          );
        })}
      </ol>
      {sessions.length > shownFirst && (
        <button type="button" class="link-button" aria-expanded={all} onClick={() => setAll(!all)}>
          {all ? t("past.fewer") : t("past.all", { count: sessions.length })}
        </button>
      )}
    </section>
  );
}

export function Stars({ stars }: { readonly stars: number }) {
  return (
    <span class="rating" aria-label={t("details.stars", { count: stars })} role="img">
      {"★".repeat(stars)}
      <span class="rating-off">{"★".repeat(Math.max(0, 5 - stars))}</span>
    </span>
  );
}
