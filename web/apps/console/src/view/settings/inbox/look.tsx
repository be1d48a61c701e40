// Colour, place and scheme of the widget, with the widget beside as it will look.
import { accentColours, contrast, parseColour } from "@frontdesk/ui";
import type { Locale } from "@frontdesk/i18n";
import { useState } from "preact/hooks";
import type { Inbox } from "../../../model/api";
import { useConsole } from "../../context";
import { Button, Field } from "../../parts/controls";
import { Icon } from "../../parts/icon";
import { locale, t } from "../../text";
import { RadioCards } from "../fields";
import { SaveBar, useDraft } from "../form";
import { Card, FormError, useSubmit } from "../page";
import type { InboxPageProps } from "./pages";
import { Preview, ownAccent } from "./preview";

const swatches = ["#2f5fd0", "#0f766e", "#1f7a4d", "#8a5a00", "#b3261e", "#a3216b", "#6d3fc0", "#33363f"];

const draftOf = (inbox: Inbox) => inbox.look;

export function LookPage({ inbox, onDone }: InboxPageProps) {
  const app = useConsole();
  const draft = useDraft(draftOf(inbox));
  const submit = useSubmit();
  const [language, setLanguage] = useState<Locale>(locale());
  const look = draft.value;
  const accent = look.accent === "" ? ownAccent : look.accent;
  const colours = accentColours(accent);
  const wrong = colours === undefined || accent.length !== 7;
  const save = async () => {
    const changed = await app.api.changeInbox(inbox.id, { look });
    draft.reset(draftOf(changed));
    await onDone(changed);
  };
  return (
    <form
      class="with-preview"
      onSubmit={(event) => {
        event.preventDefault();
        if (!wrong) void submit.run(save);
      }}
    >
      <div class="cards">
        <Card title={t("look.colour")} text={t("look.colour_text")}>
          <div class="form">
            <div class="swatches" role="group" aria-label={t("look.colour")}>
              {swatches.map((colour) => (
                <button key={colour} type="button" class="swatch" style={{ background: colour }} aria-pressed={accent.toLowerCase() === colour} aria-label={colour} title={colour} data-testid={`swatch-${colour.slice(1)}`} onClick={() => draft.set({ accent: colour })}>
                  {accent.toLowerCase() === colour && <Icon name="check" />}
                </button>
              ))}
            </div>
            <Field label={t("look.own_colour")} help={t("look.own_colour_help")} error={wrong ? t("invalid.colour") : submit.errorOf("look.accent")}>
              {(ids) => (
                <span class="colour">
                  <input type="color" class="colour-well" aria-label={t("look.pick")} value={wrong ? ownAccent : accent} data-testid="look-colour" onInput={(event) => draft.set({ accent: event.currentTarget.value })} />
                  <input {...ids} class="input" value={look.accent} placeholder={ownAccent} maxLength={7} spellcheck={false} data-testid="look-accent" onInput={(event) => draft.set({ accent: event.currentTarget.value.trim() })} />
                  {look.accent !== "" && (
                    <Button size="small" kind="quiet" icon="rotate-ccw" label={t("look.reset")} onClick={() => draft.set({ accent: "" })} />
                  )}
                </span>
              )}
            </Field>
            {colours !== undefined && (
              <p class="meta contrast">
                <span class="contrast-sample" style={{ background: colours.accent, color: colours.onAccent }} aria-hidden="true">
                  Aa
                </span>
                {t("look.contrast", { ratio: ratioOf(colours.accent, colours.onAccent) })}
              </p>
            )}
          </div>
        </Card>
        <Card title={t("look.place")}>
          <div class="form">
            <RadioCards
              legend={t("look.side")}
              name="look-side"
              value={look.side}
              choices={[
                { value: "left", label: t("look.left"), picture: <SidePicture side="left" accent={accent} /> },
                { value: "right", label: t("look.right"), picture: <SidePicture side="right" accent={accent} /> },
              ]}
              onChange={(side) => draft.set({ side })}
            />
            <RadioCards
              legend={t("look.scheme")}
              name="look-scheme"
              value={look.scheme}
              choices={[
                { value: "auto", label: t("look.auto"), help: t("look.auto_help") },
                { value: "light", label: t("theme.light") },
                { value: "dark", label: t("theme.dark") },
              ]}
              onChange={(scheme) => draft.set({ scheme })}
            />
          </div>
        </Card>
        <FormError submit={submit} />
        <SaveBar draft={draft} submit={submit} disabled={wrong} testid="inbox-save" />
      </div>
      <Preview name={inbox.name} look={wrong ? inbox.look : look} texts={inbox.texts} questions={inbox.questions} hoursText={inbox.hours_text} language={language} onLanguage={setLanguage} />
    </form>
  );
}

function ratioOf(one: string, other: string): string {
  const [a, b] = [parseColour(one), parseColour(other)];
  return a === undefined || b === undefined ? "" : contrast(a, b).toLocaleString(locale(), { maximumFractionDigits: 1 });
}

function SidePicture({ side, accent }: { readonly side: "left" | "right"; readonly accent: string }) {
  return (
    <svg class="side-picture" viewBox="0 0 64 40" aria-hidden="true">
      <rect x="0.5" y="0.5" width="63" height="39" rx="4" class="side-page" />
      <path d="M8 9h30M8 15h40M8 21h22" class="side-lines" />
      <circle cx={side === "left" ? 10 : 54} cy="31" r="5" style={{ fill: accent }} />
    </svg>
  );
}
