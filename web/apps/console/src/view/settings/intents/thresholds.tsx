// The thresholds, each over what the model held probable since the start. Moving a slider shows what another
// one would catch; it holds once it is saved.
import { percent } from "@frontdesk/i18n";
import { useId, useRef, useState } from "preact/hooks";
import { ownThreshold, toHundredth, withThreshold } from "../../../model/intent-settings";
import { caught, firstCaught, labels } from "../../../model/intents";
import { Button } from "../../parts/controls";
import { Icon } from "../../parts/icon";
import { IntentTag, intentName } from "../../parts/intent";
import { locale, t } from "../../text";
import { Words } from "../intents";
import { Card, FormError, useSubmit } from "../page";
import type { Place } from "./place";
import { OwnTag } from "./targets";

export function Thresholds({ place }: { readonly place: Place }) {
  return (
    <Card title={t("intents.thresholds")} text={t("intents.thresholds_text")} testid="intent-thresholds">
      <div class="thresholds">
        {labels.map((label) => (
          <Threshold key={label} label={label} place={place} />
        ))}
      </div>
      <p class="intent-hint">
        <Icon name="circle-help" size={14} />
        <span>
          <Words text={t("intents.file")} />
        </span>
      </p>
    </Card>
  );
}

/** What comes of four bytes is a hair beside what was meant. */
function exact(threshold: number | undefined): number {
  return Math.round((threshold ?? 1) * 1_000) / 1_000;
}

function Threshold({ label, place }: { readonly label: string; readonly place: Place }) {
  const { sorting, inbox } = place;
  const id = useId();
  const slider = useRef<HTMLInputElement>(null);
  const [tried, setTried] = useState<number | null>(null);
  const submit = useSubmit();
  const threshold = exact(sorting.thresholds[label]);
  const seen = sorting.seen[label] ?? [];
  const isOwn = ownThreshold(sorting.own, inbox, label) !== null;
  const preview = tried === null || tried === threshold ? null : tried;
  const name = intentName(label);
  const asPercent = (share: number) => percent(share, locale());
  const asThreshold = (value: number) => percent(value, locale(), 1);
  const now = caught(seen, threshold);
  const then = caught(seen, preview ?? threshold);
  const would = then.texts === 0 ? t("intents.would_none", { threshold: asThreshold(preview ?? threshold) }) : t(then.atLeast ? "intents.would_least" : "intents.would", { threshold: asThreshold(preview ?? threshold), share: asPercent(then.share) });
  // The buttons go with what they were for: the keyboard stays at the slider.
  const settle = () => {
    setTried(null);
    slider.current?.focus();
  };
  const save = async (value: number | null) => {
    if (await submit.run(() => place.change((own) => withThreshold(own, inbox, label, value)))) settle();
  };
  return (
    <section class="threshold" aria-labelledby={id} data-testid="threshold" data-label={label}>
      <h3 class="threshold-head" id={id}>
        <IntentTag intent={label} />
        <span class="threshold-figure">
          {isOwn && <OwnTag own />}
          <span class="number" data-testid="threshold-value">
            {asThreshold(threshold)}
          </span>
        </span>
      </h3>
      <Plot seen={seen} threshold={threshold} preview={preview} label={t("intents.plot", { intent: name, threshold: asThreshold(threshold) })} />
      <input
        ref={slider}
        type="range"
        class="threshold-slider"
        min={0}
        max={1}
        step={0.01}
        value={preview ?? threshold}
        aria-label={t("intents.preview_of", { intent: name })}
        aria-valuetext={preview === null ? t("intents.now", { threshold: asThreshold(threshold) }) : would}
        data-testid="threshold-slider"
        onInput={(event) => {
          submit.clear();
          setTried(toHundredth(Number(event.currentTarget.value)));
        }}
      />
      <p class="threshold-ends meta number" aria-hidden="true">
        <span>{asPercent(0)}</span>
        <span>{asPercent(0.5)}</span>
        <span>{asPercent(1)}</span>
      </p>
      <p data-testid="threshold-catches">{now.texts === 0 ? t("intents.none_seen") : t(now.atLeast ? "intents.catches_least" : "intents.catches", { share: asPercent(now.share), count: now.texts })}</p>
      <div class="threshold-preview" data-testid="threshold-preview">
        {preview === null ? (
          <p class="meta">{t("intents.move")}</p>
        ) : (
          <p>
            <span class="tag tag-preview">{t("intents.preview")}</span> {would}
          </p>
        )}
        <div class="threshold-actions">
          {preview !== null ? (
            <>
              <Button size="small" kind="primary" busy={submit.busy} label={t("intents.threshold_save", { intent: name, threshold: asThreshold(preview) })} testid="threshold-save" onClick={() => void save(preview)}>
                {t("save")}
              </Button>
              <Button size="small" kind="quiet" disabled={submit.busy} testid="threshold-reset" onClick={settle}>
                {t("intents.preview_end", { threshold: asThreshold(threshold) })}
              </Button>
            </>
          ) : (
            isOwn && (
              <Button size="small" kind="quiet" icon="rotate-ccw" busy={submit.busy} testid="threshold-inherit" onClick={() => void save(null)}>
                {t("intents.reset_to", { value: asThreshold(exact(sorting.inherited.thresholds[label])) })}
              </Button>
            )
          )}
        </div>
      </div>
      <FormError submit={submit} />
    </section>
  );
}

const high = 56;
const wide = 200;

/** Bars for the steps; a line for the threshold, and a broken one for another that is looked at. */
function Plot({ seen, threshold, preview, label }: { readonly seen: readonly number[]; readonly threshold: number; readonly preview: number | null; readonly label: string }) {
  const most = Math.max(1, ...seen);
  const width = wide / Math.max(1, seen.length);
  const from = firstCaught(preview ?? threshold, seen.length);
  return (
    <svg class="plot" viewBox={`0 0 ${wide} ${high}`} preserveAspectRatio="none" role="img" aria-label={label}>
      {seen.map((count, at) => {
        const height = count === 0 ? 0 : Math.max(1.5, (count / most) * (high - 4));
        return <rect key={at} class={at >= from ? "plot-caught" : "plot-missed"} x={at * width + 1} y={high - height} width={Math.max(1, width - 2)} height={height} />;
      })}
      <line class="plot-base" x1={0} x2={wide} y1={high} y2={high} />
      <line class="plot-line" x1={threshold * wide} x2={threshold * wide} y1={0} y2={high} />
      {preview !== null && <line class="plot-line plot-preview" x1={preview * wide} x2={preview * wide} y1={0} y2={high} />}
    </svg>
  );
}
