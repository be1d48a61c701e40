// A talk with the bot as a visitor would have it. Nothing is sent, kept or counted; the whole of it is asked anew with
// every message, so that it always speaks of what is saved (or of the flow that is being written).
import type { Locale } from "@frontdesk/i18n";
import { LOCALES, LOCALE_NAMES } from "@frontdesk/i18n";
import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import type { TalkReply, TalkTurn } from "../../../model/bot";
import { sendsOnKey } from "../../../model/shortcuts";
import { useConsole, useDesk } from "../../context";
import { failureText, spoken } from "../../failure";
import { Button, SelectField } from "../../parts/controls";
import { Icon } from "../../parts/icon";
import { ScoreBar } from "../../parts/score";
import { locale, t, texts } from "../../text";

type Props = {
  /** What is written beside is not what the bot knows yet. */
  readonly unsaved: boolean;
  /** A flow that is being written; without one those that are saved. */
  readonly flow?: string;
};

export function Talk({ unsaved, flow }: Props) {
  const app = useConsole();
  const { inbox: model } = useDesk();
  const { inboxes } = model.directory.value;
  const [language, setLanguage] = useState<Locale>(locale());
  const [inbox, setInbox] = useState("");
  const [turns, setTurns] = useState<readonly TalkTurn[]>([]);
  const [pending, setPending] = useState<string | null>(null);
  const [error, setError] = useState<string | null>(null);
  const [text, setText] = useState("");
  /** How often it was begun anew by a button. */
  const [starts, setStarts] = useState(0);
  const foot = useRef<HTMLDivElement>(null);
  const input = useRef<HTMLInputElement>(null);
  const run = useRef(0);
  useEffect(() => () => void (run.current += 1), []);
  useEffect(() => {
    const element = foot.current;
    if (element !== null) element.scrollTop = element.scrollHeight;
  }, [turns, pending]);

  useLayoutEffect(() => {
    if (starts > 0) input.current?.focus();
  }, [starts]);

  const over = turns.some((turn) => turn.handed_over);
  const begin = () => {
    run.current += 1;
    setTurns([]);
    setPending(null);
    setError(null);
  };
  // The button that was pressed is gone or has nothing more to do.
  const again = () => {
    begin();
    setStarts(starts + 1);
  };
  const say = async (words: string) => {
    const said = words.trim();
    if (said === "" || pending !== null) return;
    const own = ++run.current;
    setPending(said);
    setError(null);
    setText("");
    try {
      const chosen = inbox === "" ? (inboxes[0]?.id ?? "") : inbox;
      const next = await app.api.bot.talk({ language, messages: [...turns.map((turn) => turn.visitor), said], ...(chosen === "" ? {} : { inbox: chosen }), ...(flow === undefined ? {} : { flow }) });
      if (own !== run.current) return;
      setTurns(next);
    } catch (failure) {
      if (own !== run.current) return;
      setError(failureText(spoken(failure)));
      setText(said);
    }
    setPending(null);
    input.current?.focus();
  };
  return (
    <section class="talk" aria-label={t("talk.title")} data-testid="talk">
      <header class="talk-head">
        <h2 class="card-title">{t("talk.title")}</h2>
        <Button size="small" kind="quiet" icon="rotate-ccw" label={t("talk.again")} disabled={turns.length === 0 && pending === null} testid="talk-again" onClick={again} />
      </header>
      <div class="talk-choices">
        <SelectField
          label={t("language")}
          value={language}
          choices={LOCALES.map((one) => ({ value: one, label: LOCALE_NAMES[one] }))}
          onChange={(value) => {
            setLanguage(value as Locale);
            begin();
          }}
          testid="talk-language"
        />
        {inboxes.length > 1 && (
          <SelectField
            label={t("details.inbox")}
            value={inbox === "" ? (inboxes[0]?.id ?? "") : inbox}
            choices={inboxes.map((one) => ({ value: one.id, label: one.name }))}
            onChange={(value) => {
              setInbox(value);
              begin();
            }}
            testid="talk-inbox"
          />
        )}
      </div>
      <div ref={foot} class="talk-lines" role="log" aria-label={t("talk.title")} tabIndex={0} data-testid="talk-lines">
        {turns.length === 0 && pending === null && (
          <p class="talk-empty">
            <Icon name="bot" size={24} />
            <span>{flow === undefined ? t("talk.empty") : t("talk.empty_flow")}</span>
          </p>
        )}
        {turns.map((turn, at) => (
          <Turn key={at} turn={turn} lang={language} open={at === turns.length - 1 && pending === null && !over} onPick={(label) => void say(label)} />
        ))}
        {pending !== null && (
          <>
            <p class="talk-line talk-visitor" lang={language}>
              {pending}
            </p>
            <p class="talk-line talk-bot talk-waiting">
              <span class="typing-dots" aria-hidden="true">
                <i />
                <i />
                <i />
              </span>
              <span class="visually-hidden">{t("talk.thinking")}</span>
            </p>
          </>
        )}
      </div>
      {error !== null && (
        <p class="form-error" role="alert">
          <Icon name="circle-alert" />
          {error}
        </p>
      )}
      {over ? (
        <Button icon="rotate-ccw" testid="talk-begin" onClick={again}>
          {t("talk.again")}
        </Button>
      ) : (
        <form
          class="talk-form"
          onSubmit={(event) => {
            event.preventDefault();
            void say(text);
          }}
        >
          <input
            ref={input}
            class="input"
            value={text}
            lang={language}
            maxLength={2_000}
            placeholder={t("talk.placeholder")}
            aria-label={t("talk.placeholder")}
            autocomplete="off"
            data-testid="talk-input"
            onInput={(event) => setText(event.currentTarget.value)}
            onKeyDown={(event) => {
              // Enter belongs to an input method while it composes.
              if (event.key === "Enter" && !sendsOnKey(event)) event.preventDefault();
            }}
          />
          <Button type="submit" kind="primary" icon="send" label={t("composer.send")} disabled={text.trim() === "" || pending !== null} testid="talk-send" />
        </form>
      )}
      <p class="meta">{unsaved ? t("talk.unsaved") : t("talk.hint")}</p>
    </section>
  );
}

function Turn({ turn, lang, open, onPick }: { readonly turn: TalkTurn; readonly lang: string; readonly open: boolean; readonly onPick: (label: string) => void }) {
  return (
    <>
      <p class="talk-line talk-visitor" lang={lang}>
        {turn.visitor}
      </p>
      {turn.replies.map((reply, at) => (
        <Reply key={at} reply={reply} lang={lang} open={open} onPick={onPick} />
      ))}
      {turn.handed_over && (
        <p class="talk-over" data-testid="talk-over">
          <Icon name="arrow-right-left" size={14} />
          {t("talk.over")}
        </p>
      )}
    </>
  );
}

function Reply({ reply, lang, open, onPick }: { readonly reply: TalkReply; readonly lang: string; readonly open: boolean; readonly onPick: (label: string) => void }) {
  const { kind, text, choices, form, sources, score, words } = reply;
  // What is for the team, or for nobody yet, is no bubble of the visitor's.
  if (kind === "handover" || kind === "llm" || kind === "suggestion" || kind === "close" || kind === "nothing") return <Aside reply={reply} />;
  return (
    <div class="talk-reply" data-testid="talk-reply" data-kind={reply.kind}>
      <div class="talk-line talk-bot" lang={lang}>
        {typeof text === "string" && text !== "" && form == null && <p>{text}</p>}
        {form != null && (
          <div class="talk-form-asked">
            {form.title !== undefined && form.title !== "" && <p>{form.title}</p>}
            <ul>
              {(form.fields ?? []).map((field) => (
                <li key={field.id}>
                  {field.label}
                  {field.required === true && " *"}
                </li>
              ))}
            </ul>
          </div>
        )}
        {(sources ?? []).length > 0 && (
          <ul class="talk-sources">
            {(sources ?? []).map((source) => (
              <li key={source.article}>
                <Icon name="book-open" size={12} />
                <a href={`#/knowledge/${source.article}`}>{source.title}</a>
              </li>
            ))}
          </ul>
        )}
      </div>
      {(choices ?? []).length > 0 && (
        <div class="talk-buttons">
          {(choices ?? []).map((choice) => (
            <button key={choice.id} type="button" class="talk-button" lang={lang} disabled={!open} data-testid="talk-choice" onClick={() => onPick(choice.label)}>
              {choice.label}
            </button>
          ))}
        </div>
      )}
      {((typeof score === "number" && score > 0) || (reply.step ?? "") !== "") && (
        <p class="talk-why meta">
          {typeof score === "number" && score > 0 && <ScoreBar score={score} />}
          {(words ?? []).length > 0 && <span>{(words ?? []).join(" ")}</span>}
          {(reply.step ?? "") !== "" && <span>{reply.step}</span>}
        </p>
      )}
    </div>
  );
}

/** What the bot does beside speaking to the visitor. */
function Aside({ reply }: { readonly reply: TalkReply }) {
  const { kind, text, reason = "" } = reply;
  const key = `answer.kind_${kind}`;
  const why = `handover.${reason}`;
  return (
    <div class="talk-aside" data-testid="talk-reply" data-kind={kind}>
      <p class="talk-aside-head">
        <Icon name={kind === "handover" ? "lock" : kind === "llm" ? "sparkles" : kind === "suggestion" ? "message-square-text" : "circle-check"} size={12} />
        {texts.has(key) ? t(key) : kind}
        {reason !== "" && `: ${texts.has(why) ? t(why) : reason}`}
      </p>
      {typeof text === "string" && text !== "" && kind !== "close" && <p>{text}</p>}
    </div>
  );
}
