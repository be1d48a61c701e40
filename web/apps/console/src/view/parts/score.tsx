// How well something fits, and the words for which it does.
import { percent } from "@frontdesk/i18n";
import { highlight } from "../../model/articles";
import { locale, t } from "../text";

/** As a short bar and a figure. */
export function ScoreBar({ score, strong = true }: { readonly score: number; readonly strong?: boolean }) {
  const share = Math.min(1, Math.max(0, score));
  const words = percent(share, locale());
  return (
    <span class={strong ? "score score-strong" : "score"} title={t("knowledge.score")}>
      <span class="score-track" aria-hidden="true">
        <span class="score-fill" style={{ width: `${Math.round(share * 100)}%` }} />
      </span>
      <span class="visually-hidden">{t("knowledge.score")} </span>
      <span class="number">{words}</span>
    </span>
  );
}

/** A passage with the words that were found marked. */
export function Passage({ text, words }: { readonly text: string; readonly words: readonly string[] }) {
  return <>{highlight(text, words).map((piece, at) => (piece.hit ? <mark key={at}>{piece.text}</mark> : piece.text))}</>;
}
