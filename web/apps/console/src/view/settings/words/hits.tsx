// What the rules caught, newest first: which rule, what it did, whose message, where. Never the words themselves.
import { clockTime, dateOf } from "@frontdesk/i18n";
import { useEffect, useRef, useState } from "preact/hooks";
import type { WordHit } from "../../../model/words";
import { useConsole } from "../../context";
import { failureText } from "../../failure";
import { Button } from "../../parts/controls";
import { Icon } from "../../parts/icon";
import { SkeletonRows } from "../../parts/states";
import { locale, t } from "../../text";
import { Card } from "../page";
import { ActionTag } from "../words";

type Known = { readonly hits: readonly WordHit[]; readonly next: string | null };

export function WordHits() {
  const app = useConsole();
  const [known, setKnown] = useState<Known | null>(null);
  const [busy, setBusy] = useState(true);
  const [error, setError] = useState<string | null>(null);
  const gone = useRef(false);
  const more = async (from: Known | null) => {
    setBusy(true);
    setError(null);
    try {
      const page = await app.api.words.hits(from?.next ?? null);
      if (!gone.current) setKnown({ hits: [...(from?.hits ?? []), ...page.hits], next: page.next ?? null });
    } catch (failure) {
      if (!gone.current) setError(failureText(failure));
    }
    if (!gone.current) setBusy(false);
  };
  useEffect(() => {
    void more(null);
    return () => {
      gone.current = true;
    };
  }, []);
  return (
    <Card
      title={t("words.hits")}
      text={t("words.hits_text")}
      testid="word-hits"
      action={<Button size="small" kind="quiet" icon="rotate-ccw" label={t("words.hits_again")} busy={busy} onClick={() => void more(null)} />}
    >
      {known === null && error === null && <SkeletonRows count={2} />}
      {known !== null && known.hits.length === 0 && <p class="meta">{t("words.hits_none")}</p>}
      {known !== null && known.hits.length > 0 && (
        <ul class="word-hits">
          {known.hits.map((hit, at) => (
            <Hit key={`${hit.at_ms}-${at}`} hit={hit} />
          ))}
        </ul>
      )}
      {error !== null && (
        <p class="form-error" role="alert">
          <Icon name="circle-alert" />
          {error}
        </p>
      )}
      {(error !== null || (known !== null && known.next !== null)) && (
        <Button size="small" busy={busy} onClick={() => void more(known)}>
          {error !== null ? t("retry") : t("show_more")}
        </Button>
      )}
    </Card>
  );
}

function Hit({ hit }: { readonly hit: WordHit }) {
  const app = useConsole();
  const kind = hit.by?.kind.toLowerCase() ?? "";
  const who = hit.by?.name || (kind.includes("visitor") ? t("visitor") : kind.includes("bot") ? t("bot") : kind.includes("api") ? t("api") : "");
  const conversation = hit.conversation ?? "";
  return (
    <li class="word-hit" data-testid="word-hit">
      <time class="meta number" dateTime={new Date(hit.at_ms).toISOString()}>
        {dateOf(hit.at_ms, app.now.value, locale())} {clockTime(hit.at_ms, locale())}
      </time>
      <span class="word-hit-rule">{hit.rule}</span>
      <ActionTag action={hit.action} />
      <span class="meta word-hit-who">{who}</span>
      {conversation !== "" && <a href={`#/inbox/all/${conversation}`}>{t("words.hit_conversation")}</a>}
    </li>
  );
}
