// What comes with a bot: buttons, forms and sources under its messages, what a visitor filled in, and the
// way to a person. One file, loaded with the first of them.
import { answerTo, picked, toChoices, toSources, toValues } from "@frontdesk/client";
import type { Choice, ViewLine } from "@frontdesk/client";
import type { FieldValueJson, SourceJson } from "@frontdesk/protocol";
import { Drawing, Icon } from "@frontdesk/ui";
import type { JSX } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { askForPerson } from "../model/actions";
import type { Chat } from "../model/chat";
import type { MessageRow } from "../model/rows";
import { followed, toBeginning } from "./beginning";
import { restFocus } from "./focus";
import { AskedForm } from "./form";
import { Values } from "./values";

/** From Lucide, as the other icons. */
const PERSON = ["M12 3a5 5 0 1 0 0 10 5 5 0 1 0 0-10", "M20 21a8 8 0 0 0-16 0"];

/** Under a bot's message: what it asks, and what its answer was taken from. */
export function Asked({ chat, row }: { chat: Chat; row: MessageRow }): JSX.Element | null {
  const { body, key, line } = row;
  if (line.kind !== "entry" || (body.kind !== "text" && body.kind !== "form")) return null;
  const { seq } = line;
  const { conversation } = chat.client;
  const isOwn = (one: ViewLine): boolean => one.kind === "outgoing" || (one.kind === "entry" && conversation.isOwn(one));
  const answer = answerTo(conversation.lines.value, seq, isOwn);
  if (body.kind === "form") return <AskedForm chat={chat} id={`${chat.client.conversationId}-${key}`} seq={seq} json={body.form} answer={answer} />;
  const choices = toChoices(body.choices);
  return (
    <>
      {choices.length > 0 ? <Choices chat={chat} seq={seq} choices={choices} open={answer.open} chosen={answer.choice} /> : null}
      {body.sources ? <Sources chat={chat} row={row} json={body.sources} /> : null}
    </>
  );
}

type ChoicesProps = { chat: Chat; seq: number; choices: readonly Choice[]; open: boolean; chosen: string };

function Choices({ chat, seq, choices, open, chosen }: ChoicesProps): JSX.Element {
  const pick = (choice: Choice): void => {
    chat.say(picked(choice), seq);
    restFocus();
  };
  return (
    <div class="choices" role="group" aria-label={chat.texts.t("widget.choices")}>
      {choices.map((choice) => {
        const mine = choice.id === chosen;
        return (
          <button key={choice.id} type="button" dir="auto" class={mine ? "choice-mine" : ""} aria-pressed={mine} disabled={!open} onClick={() => pick(choice)}>
            {mine ? <Icon name="check" small /> : null}
            {choice.label}
          </button>
        );
      })}
    </div>
  );
}

function Sources({ chat, row, json }: { chat: Chat; row: MessageRow; json: readonly SourceJson[] }): JSX.Element {
  const { baseUrl } = chat.files;
  const list = useRef<HTMLUListElement>(null);
  useEffect(() => {
    if (list.current) toBeginning(chat, row, list.current);
  }, []);
  return (
    <ul class="sources" ref={list}>
      {toSources(json).map(({ title, path }, at) => {
        const words = chat.texts.t("widget.source", { title });
        const href = new URL(path.slice(1), baseUrl).href;
        // An address that climbs out of the help centre is none of ours.
        const leads = path !== "" && href.startsWith(`${baseUrl}help/`);
        return (
          <li key={at} dir="auto">
            {leads ? (
              <a href={href} target="_blank" rel="noopener noreferrer">
                {words}
              </a>
            ) : (
              words
            )}
          </li>
        );
      })}
    </ul>
  );
}

/** In the visitor's own bubble. */
export function FilledIn({ chat, values }: { chat: Chat; values: readonly FieldValueJson[] }): JSX.Element {
  return <Values chat={chat} values={toValues(values)} />;
}

/** Over the composer for as long as a bot answers. */
export function Person({ chat }: { chat: Chat }): JSX.Element {
  const [asking, setAsking] = useState(false);
  followed(chat);
  const ask = async (): Promise<void> => {
    setAsking(true);
    // Where it worked, this goes away with the bot.
    if (await askForPerson(chat)) restFocus();
    else setAsking(false);
  };
  return (
    <button type="button" class="person" disabled={asking} onClick={() => void ask()}>
      <Drawing paths={PERSON} small />
      {chat.texts.t("widget.person")}
    </button>
  );
}
