// A text in every language the team writes: one field each, side by side where there is room.
import { LOCALES, LOCALE_NAMES } from "@frontdesk/i18n";
import type { Texts } from "../../model/api";
import { TextArea, TextField } from "../parts/controls";

type Props = {
  readonly label: string;
  readonly help?: string;
  readonly value: Texts;
  readonly onChange: (value: Texts) => void;
  readonly error?: string | null;
  readonly long?: boolean;
  readonly required?: boolean;
  /** What stands there where nothing is written. */
  readonly placeholders?: Texts;
  readonly testid?: string;
};

export function LanguageFields({ label, help, value, onChange, error, long, required, placeholders = {}, testid }: Props) {
  const put = (locale: string, text: string) => {
    const others = Object.entries(value).filter(([name]) => name !== locale);
    onChange(Object.fromEntries(text === "" ? others : [...others, [locale, text]]));
  };
  return (
    <div class="languages">
      {LOCALES.map((locale, at) => {
        const shared = { label: `${label} · ${LOCALE_NAMES[locale]}`, value: value[locale] ?? "", onInput: (text: string) => put(locale, text), ...(at === 0 && help !== undefined ? { help } : {}), ...(at === 0 ? { error } : {}), ...(testid === undefined ? {} : { testid: `${testid}-${locale}` }) };
        // One language is enough: the others fall back to it.
        const needed = required === true && Object.keys(value).every((name) => name === locale);
        return long === true ? <TextArea key={locale} {...shared} lang={locale} /> : <TextField key={locale} {...shared} required={needed} {...(placeholders[locale] === undefined ? {} : { placeholder: placeholders[locale] })} />;
      })}
    </div>
  );
}

/** The same texts without blanks around them and without empty ones. */
export function tidyTexts(texts: Texts): Texts {
  const tidy: Record<string, string> = {};
  for (const [locale, text] of Object.entries(texts)) if (text.trim() !== "") tidy[locale] = text.trim();
  return tidy;
}
