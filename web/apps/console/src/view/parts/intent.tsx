// What a visitor wants, as a small tag, and shares as bars. A complaint is known by its sign and its
// border as well, not by its colour alone.
import { percent } from "@frontdesk/i18n";
import { namedIntent } from "../../model/intents";
import { locale, t } from "../text";
import { Icon } from "./icon";

/** In the reader's words; one of the account's own as it is, with blanks, which its name cannot have. */
export function intentName(intent: string): string {
  const known = namedIntent(intent);
  return known === null ? intent.replace(/_/g, " ") : t(`intent.${known}`);
}

export function IntentTag({ intent, testid }: { readonly intent: string; readonly testid?: string }) {
  const name = intentName(intent);
  return (
    <span class={intent === "complaint" ? "tag tag-intent tag-danger" : "tag tag-intent"} title={t("intent.named", { intent: name })} data-testid={testid} data-intent={intent}>
      {intent === "complaint" && <Icon name="circle-alert" size={12} />}
      <span class="tag-words">{name}</span>
    </span>
  );
}

export type Bar = { readonly key: string; readonly label: string; readonly share: number; readonly text?: string; readonly strong?: boolean };

/** Shares of a whole, a line each: its name, how long it is, and the figure. */
export function Bars({ label, bars, testid }: { readonly label: string; readonly bars: readonly Bar[]; readonly testid?: string }) {
  return (
    <ul class="bars" aria-label={label} data-testid={testid}>
      {bars.map((bar) => (
        <li key={bar.key} class={bar.strong === true ? "bar bar-strong" : "bar"}>
          <span class="bar-label">{bar.label}</span>
          <span class="bar-track" aria-hidden="true">
            <span class="bar-fill" style={{ width: `${Math.round(Math.min(1, Math.max(0, bar.share)) * 1_000) / 10}%` }} />
          </span>
          <span class="bar-figure number">{bar.text ?? percent(bar.share, locale())}</span>
        </li>
      ))}
    </ul>
  );
}
