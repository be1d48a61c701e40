// Asked once while nobody is there: how can the visitor be reached? Loaded when it is asked.
import { Button } from "@frontdesk/ui";
import type { JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import { contactDone } from "../model/actions";
import type { Chat } from "../model/chat";
import { readContact, saveContact } from "../model/contact";
import { inboxText } from "../model/inbox";

const FIELDS = [
  ["name", "text", "name"],
  ["email", "email", "email"],
  ["phone", "tel", "tel"],
] as const;
const NOTHING = { name: "", email: "", phone: "" };

/** A bot asked for it in the conversation: nobody is asked twice. */
function askedByBot(chat: Chat): boolean {
  return chat.rows.value.some(
    (row) => row.kind === "message" && row.body.kind === "form" && row.body.form.fields?.some(({ kind }) => kind === "FORM_FIELD_KIND_EMAIL" || kind === "FORM_FIELD_KIND_PHONE"),
  );
}

export function ContactForm({ chat }: { chat: Chat }): JSX.Element | null {
  const { texts } = chat;
  const [given, setGiven] = useState(NOTHING);
  const [state, setState] = useState<"looking" | "asking" | "sending" | "failed">("looking");

  useEffect(() => {
    readContact(chat.files).then(
      (known) => {
        if (known.email !== "" || known.phone !== "") contactDone(chat, "known");
        else {
          setGiven(known);
          setState("asking");
        }
      },
      // Not to be known now: then it is not asked now.
      () => undefined,
    );
  }, []);

  const reachable = given.email.trim() !== "" || given.phone.trim() !== "";
  const send = async (): Promise<void> => {
    if (!reachable || state === "sending") return;
    setState("sending");
    try {
      await saveContact(chat.files, given);
      contactDone(chat, "given");
    } catch {
      setState("failed");
    }
  };

  if (state === "looking" || askedByBot(chat)) return null;
  return (
    <form
      class="card contact"
      aria-label={texts.t("widget.contact_title")}
      onSubmit={(event) => {
        event.preventDefault();
        void send();
      }}
    >
      <p>
        <b>{texts.t("widget.contact_title")}</b>
      </p>
      <p class="card-text">{inboxText(chat.inbox.value, "ask_contact", texts.locale.value) || texts.t("widget.contact_text")}</p>
      {FIELDS.map(([name, type, autocomplete]) => (
        <label key={name}>
          {texts.t(`widget.contact_${name}`)}
          <input
            type={type as "text"}
            name={name}
            autocomplete={autocomplete}
            maxLength={name === "email" ? 254 : 80}
            value={given[name]}
            onInput={(event) => {
              chat.contact.value = "begun";
              setGiven({ ...given, [name]: event.currentTarget.value });
            }}
          />
        </label>
      ))}
      {state === "failed" ? (
        <p class="card-failed" role="alert">
          {texts.t("widget.contact_failed")}
        </p>
      ) : null}
      <div class="dialog-actions">
        <Button onClick={() => contactDone(chat, "put off")}>{texts.t("widget.rate_later")}</Button>
        <Button kind="primary" type="submit" disabled={!reachable || state === "sending"}>
          {texts.t("widget.contact_send")}
        </Button>
      </div>
    </form>
  );
}
