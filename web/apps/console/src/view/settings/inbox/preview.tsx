// The widget as visitors will see it, drawn from what stands in the form. It follows every key.
import type { Locale } from "@frontdesk/i18n";
import { LOCALES, LOCALE_NAMES, Texts, localText } from "@frontdesk/i18n";
import type { SettingsKey } from "@frontdesk/i18n/catalogs/settings.en";
import { settingsEn } from "@frontdesk/i18n/catalogs/settings.en";
import type { WidgetKey } from "@frontdesk/i18n/catalogs/widget.en";
import { accentColours } from "@frontdesk/ui";
import { useEffect, useState } from "preact/hooks";
import type { Inbox, Texts as ByLanguage } from "../../../model/api";
import { useConsole } from "../../context";
import { Icon } from "../../parts/icon";
import { t } from "../../text";

/** The product's own accent: what an inbox without one has. */
export const ownAccent = "#2f5fd0";

type PreviewProps = {
  readonly name: string;
  readonly look: Inbox["look"];
  readonly texts: Readonly<Record<string, ByLanguage>>;
  readonly questions: Inbox["questions"];
  readonly hoursText: ByLanguage;
  readonly language: Locale;
  readonly onLanguage: (language: Locale) => void;
};

/** What the widget says by itself, in its own words and in the language that is looked at. */
const words = new Texts<WidgetKey | SettingsKey>(undefined, {
  en: async () => ({ ...settingsEn, ...(await import("@frontdesk/i18n/catalogs/widget.en")).widgetEn }),
  "zh-CN": async () => ({ ...(await import("@frontdesk/i18n/catalogs/settings.zh-CN")).settingsZh, ...(await import("@frontdesk/i18n/catalogs/widget.zh-CN")).widgetZh }),
});

export function Preview({ name, look, texts, questions, hoursText, language, onLanguage }: PreviewProps) {
  const app = useConsole();
  const [away, setAway] = useState(false);
  const [dark, setDark] = useState<boolean | null>(null);
  const own = app.preferences.theme.value === "dark" || (app.preferences.theme.value === "system" && matchMedia("(prefers-color-scheme: dark)").matches);
  const isDark = look.scheme === "auto" ? (dark ?? own) : look.scheme === "dark";
  const colours = accentColours(look.accent === "" ? ownAccent : look.accent) ?? accentColours(ownAccent);
  useEffect(() => void words.use(language), [language]);
  const text = (key: string) => localText(texts[key], language);
  const suggested = (questions[language] ?? Object.values(questions)[0] ?? []).filter((question) => question.trim() !== "");
  const hours = localText(hoursText, language);
  return (
    <aside class="preview" aria-label={t("preview.label")}>
      <div class="preview-bar">
        <span class="segments" role="group" aria-label={t("language")}>
          {LOCALES.map((locale) => (
            <button key={locale} type="button" class="segment" lang={locale} aria-pressed={locale === language} onClick={() => onLanguage(locale)}>
              {LOCALE_NAMES[locale]}
            </button>
          ))}
        </span>
        <button type="button" class="segment-one" aria-pressed={away} data-testid="preview-away" onClick={() => setAway(!away)}>
          {t("preview.away")}
        </button>
        {look.scheme === "auto" && (
          <button type="button" class="segment-one" aria-pressed={isDark} onClick={() => setDark(!isDark)}>
            {t("theme.dark")}
          </button>
        )}
      </div>
      <div
        class="preview-page"
        data-theme={isDark ? "dark" : "light"}
        data-side={look.side}
        data-testid="preview"
        lang={language}
        style={colours === undefined ? {} : { "--accent": colours.accent, "--on-accent": colours.onAccent, "--accent-text-light": colours.textLight, "--accent-text-dark": colours.textDark }}
      >
        <div class="preview-window">
          <div class="preview-head">
            <span class="preview-face">{[...(text("title") || name)][0]?.toUpperCase()}</span>
            <span class="preview-words">
              <b>{text("title") || name}</b>
              <span>
                <span class={away ? "preview-dot" : "preview-dot preview-on"} />
                {away ? words.t("widget.unattended") : words.t("widget.attended")}
              </span>
            </span>
            <Icon name="ellipsis" />
            <Icon name="x" />
          </div>
          <div class="preview-body">
            <p class="preview-greeting">{text("greeting") || words.t("preview.greeting")}</p>
            <p class="preview-intro">{away ? text("away") || words.t("widget.intro") : words.t("widget.intro")}</p>
            {hours !== "" && (
              <p class="preview-hours">
                <Icon name="clock" size={14} />
                {hours}
              </p>
            )}
            {away && text("ask_contact") !== "" && <p class="preview-ask">{text("ask_contact")}</p>}
            {suggested.length > 0 ? (
              <ul class="preview-questions">
                {suggested.slice(0, 6).map((question, at) => (
                  <li key={at}>{question}</li>
                ))}
              </ul>
            ) : (
              <>
                <p class="preview-bubble preview-own">{words.t("preview.visitor")}</p>
                {!away && <p class="preview-bubble">{words.t("preview.agent")}</p>}
              </>
            )}
          </div>
          <div class="preview-foot">
            <Icon name="paperclip" />
            <span>{words.t("widget.placeholder")}</span>
            <Icon name="send" />
          </div>
        </div>
        <span class="preview-launcher">
          <Icon name="chevron-down" size={24} />
        </span>
      </div>
      <p class="meta">{t("preview.help")}</p>
    </aside>
  );
}
