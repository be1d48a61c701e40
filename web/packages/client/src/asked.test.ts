import type { ContentJson, EntryJson } from "@frontdesk/protocol";
import { describe, expect, it } from "vitest";
import type { FieldKind, FormField } from "./asked";
import { FIELD_VALUE_CHARS_MAX, answerTo, filledIn, picked, problemOf, tidied, toChoices, toForm, toSources, toValues } from "./asked";
import type { OutgoingLine, ViewLine } from "./conversation";
import { isMessage, toBody, toEntry } from "./model";

function field(kind: FieldKind, more: Partial<FormField> = {}): FormField {
  return { id: "f", label: "Field", kind, required: false, options: [], ...more };
}

function entry(seq: number, by: "bot" | "me", content: ContentJson, more: EntryJson = {}): ViewLine {
  const kind = by === "me" ? "ACTOR_KIND_VISITOR" : "ACTOR_KIND_BOT";
  return toEntry({ seq: String(seq), actor: { kind, name: by }, content, ...more });
}

function outgoing(content: ContentJson, state: OutgoingLine["state"] = { kind: "sending" }): OutgoingLine {
  return { kind: "outgoing", key: "mX", clientMsgId: "X", conversation: "", content, body: toBody(content), team: false, atMs: 0, state };
}

const isVisitors = (line: ViewLine): boolean => line.kind === "outgoing" || (line.kind === "entry" && line.actor.kind === "visitor");
const QUESTION: ContentJson = { choices: { body: "Which one?", choices: [{ id: "a", label: "This" }, { id: "b", label: "That" }] } };
const FORM: ContentJson = { form: { title: "Your order", fields: [{ id: "no", label: "Order number", kind: "FORM_FIELD_KIND_ORDER_NUMBER" }] } };
const REPLY = filledIn([{ id: "no", label: "Order number", value: "A-17" }]);
const to = (seq: number, content: ContentJson): ContentJson => ({ ...content, quoteSeq: String(seq) });

describe("what the wire says", () => {
  it("is a text where it has buttons, so that who draws none still shows the question", () => {
    const body = toBody(QUESTION);
    if (body.kind !== "text") throw new Error("no text");
    expect(body.text).toBe("Which one?");
    expect(toChoices(body.choices)).toEqual([{ id: "a", label: "This" }, { id: "b", label: "That" }]);
  });

  it("may leave anything out", () => {
    expect(toForm({ fields: [{}] })).toEqual({ title: "", submit: "", fields: [{ id: "", label: "", kind: "text", required: false, options: [] }] });
    expect(toForm({})).toEqual({ title: "", submit: "", fields: [] });
    expect(toChoices([{}])).toEqual([{ id: "", label: "" }]);
    expect(toChoices(undefined)).toEqual([]);
    expect(toValues([{ id: "no" }])).toEqual([{ id: "no", label: "", value: "" }]);
    expect(toBody({ formReply: {} })).toEqual({ kind: "formReply", values: [], quoteSeq: 0 });
    expect(toBody({ form: {} })).toEqual({ kind: "form", form: {}, quoteSeq: 0 });
  });

  it("names the kinds of fields; one from the future is a line of text", () => {
    const kinds = ["FORM_FIELD_KIND_TEXT", "FORM_FIELD_KIND_EMAIL", "FORM_FIELD_KIND_PHONE", "FORM_FIELD_KIND_ORDER_NUMBER", "FORM_FIELD_KIND_CHOICE"] as const;
    expect(toForm({ fields: kinds.map((kind) => ({ kind })) }).fields.map(({ kind }) => kind)).toEqual(["text", "email", "phone", "orderNumber", "choice"]);
    expect(toForm({ fields: [{ kind: "FORM_FIELD_KIND_COLOUR" as "FORM_FIELD_KIND_TEXT" }] }).fields[0]?.kind).toBe("text");
  });

  it("leads to the help centre or nowhere", () => {
    const paths = ["/help/k/en/refunds", "https://evil.example/help/", "//evil.example", "javascript:alert(1)", "/api/v1", undefined];
    expect(toSources(paths.map((path) => ({ article: "a", title: "t", ...(path === undefined ? {} : { path }) }))).map(({ path }) => path)).toEqual(["/help/k/en/refunds", "", "", "", "", ""]);
  });

  it("counts as a message where somebody is asked or answers", () => {
    const kinds = [QUESTION, FORM, REPLY, { system: { key: "session.queued" } }, {}].map((content, at) => isMessage(entry(at + 1, "bot", content) as Extract<ViewLine, { kind: "entry" }>));
    expect(kinds).toEqual([true, true, true, false, true]);
  });
});

describe("a field", () => {
  it.each([
    ["text", "anything", ""],
    ["email", "li.na@example.com", ""],
    ["email", "Li.Na+tea@mail.shop.example", ""],
    ["email", "李娜@例子.中国", "email"],
    ["email", "li.na", "email"],
    ["email", "li na@example.com", "email"],
    ["email", "li@na@example.com", "email"],
    ["email", "li.na@example.", "email"],
    ["phone", "+86 138-0013-8000", ""],
    ["phone", "(030) 12.345", ""],
    ["phone", "123456", ""],
    ["phone", "12345", "phone"],
    ["phone", "1".repeat(15), ""],
    ["phone", "1".repeat(16), "phone"],
    ["phone", "123456-", "phone"],
    ["phone", "1-----------------", "phone"],
    ["phone", "call me", "phone"],
    ["orderNumber", "A-2026_17", ""],
    ["orderNumber", "A1", "orderNumber"],
    ["orderNumber", "A".repeat(41), "orderNumber"],
    ["orderNumber", "A 17", "orderNumber"],
    ["choice", "Small", ""],
    ["choice", "Huge", "choice"],
  ] as const)("%s: %j", (kind, value, problem) => {
    expect(problemOf(field(kind, { options: kind === "choice" ? [{ id: "s", label: "Small" }] : [] }), value)).toBe(problem);
  });

  it("may be empty unless it is required, and has a longest value in characters", () => {
    expect(problemOf(field("email"), "")).toBe("");
    expect(problemOf(field("email", { required: true }), "")).toBe("required");
    expect(problemOf(field("text"), "😀".repeat(FIELD_VALUE_CHARS_MAX))).toBe("");
    expect(problemOf(field("text"), "😀".repeat(FIELD_VALUE_CHARS_MAX + 1))).toBe("long");
  });

  it("takes full-width letters and digits as what they stand for, but leaves a text as it is", () => {
    expect(tidied(field("phone"), "　１３８００１３８０００ ")).toBe("13800138000");
    expect(tidied(field("email"), "li＠example．com")).toBe("li@example.com");
    expect(tidied(field("orderNumber"), "Ａ－１７")).toBe("A-17");
    expect(tidied(field("text"), " １７ ")).toBe("１７");
  });
});

describe("a question", () => {
  it("waits until its buttons are answered, and tells which one was picked", () => {
    expect(answerTo([entry(1, "bot", QUESTION)], 1, isVisitors)).toEqual({ open: true, choice: "", values: undefined });
    const picks = to(1, picked({ id: "b", label: "That" }));
    expect(picks).toEqual({ text: { body: "That" }, choice: "b", quoteSeq: "1" });
    for (const answer of [entry(2, "me", picks), outgoing(picks)]) {
      expect(answerTo([entry(1, "bot", QUESTION), answer], 1, isVisitors)).toEqual({ open: false, choice: "b", values: undefined });
    }
  });

  it("is over when the visitor wrote something else, or something newer is asked", () => {
    const lines = [entry(1, "me", { text: { body: "Hello" } }), entry(2, "bot", QUESTION)];
    expect(answerTo(lines, 2, isVisitors).open).toBe(true);
    expect(answerTo([...lines, entry(3, "bot", { text: { body: "Take your time." } })], 2, isVisitors).open).toBe(true);
    expect(answerTo([...lines, outgoing({ text: { body: "Neither" } })], 2, isVisitors)).toEqual({ open: false, choice: "", values: undefined });
    for (const newer of [QUESTION, FORM]) expect(answerTo([...lines, entry(3, "bot", newer)], 2, isVisitors).open).toBe(false);
  });

  it("waits still where the server did not take the answer", () => {
    const refused = outgoing(to(1, picked({ id: "b", label: "That" })), { kind: "refused", code: "message.refused" });
    expect(answerTo([entry(1, "bot", QUESTION), refused], 1, isVisitors)).toEqual({ open: true, choice: "", values: undefined });
  });

  it("keeps to its own answers", () => {
    const lines = [entry(1, "bot", QUESTION), entry(2, "me", to(1, picked({ id: "a", label: "This" }))), entry(3, "bot", QUESTION), entry(4, "me", to(3, picked({ id: "b", label: "That" })))];
    expect([1, 3].map((seq) => answerTo(lines, seq, isVisitors).choice)).toEqual(["a", "b"]);
  });
});

describe("a form", () => {
  it("waits for its reply, whatever else is written, until something newer is asked", () => {
    const lines = [entry(1, "bot", FORM), entry(2, "me", { text: { body: "Where do I find it?" } })];
    expect(answerTo(lines, 1, isVisitors).open).toBe(true);
    expect(answerTo([...lines, entry(3, "bot", QUESTION)], 1, isVisitors).open).toBe(false);
    expect(answerTo([...lines, outgoing(to(1, REPLY))], 1, isVisitors)).toEqual({
      open: false,
      choice: "",
      values: [{ id: "no", label: "Order number", value: "A-17" }],
    });
  });

  it("keeps its first reply", () => {
    const second = to(1, filledIn([{ id: "no", label: "Order number", value: "B-2" }]));
    expect(answerTo([entry(1, "bot", FORM), entry(2, "me", to(1, REPLY)), entry(3, "me", second)], 1, isVisitors).values?.[0]?.value).toBe("A-17");
  });
});
