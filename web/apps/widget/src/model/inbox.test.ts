import { describe, expect, it } from "vitest";
import { inboxText, parseInbox } from "./inbox";

describe("inbox", () => {
  it("is read from a ticket's answer", () => {
    const inbox = parseInbox({
      name: "Shop",
      look: { accent: "#2f6b55", side: "left", scheme: "auto", logo: "" },
      texts: { greeting: { en: "Hi", "zh-CN": "您好" }, title: {} },
    });
    expect(inbox).toMatchObject({ name: "Shop", accent: "#2f6b55", side: "left", scheme: "system" });
    expect(inboxText(inbox, "greeting", "zh-CN")).toBe("您好");
    expect(inboxText(inbox, "title", "en")).toBe("");
  });

  it("says what may be shown and asked", () => {
    const inbox = parseInbox({
      language: "zh-CN",
      questions: { en: ["Where is my order?", "", 7], "zh-CN": [] },
      hours_text: { en: "Mon-Fri 9-18" },
      faces: [{ name: "Lin" }, {}, { name: "Mei" }],
      answer_minutes: 3,
      ask_contact: true,
      rating: false,
      visitor_may_close: false,
      typing: false,
      queue_place: false,
    });
    expect(inbox).toMatchObject({ language: "zh-CN", questions: { en: ["Where is my order?"] }, hours: { en: "Mon-Fri 9-18" }, faces: ["Lin", "Mei"], answerMinutes: 3 });
    expect(inbox).toMatchObject({ asksContact: true, rates: false, mayEnd: false, showsTyping: false, showsPlace: false });
    expect(Object.keys(inbox.questions)).toEqual(["en"]);
  });

  it("shows what an older server does not speak of as before, and asks nothing it could not keep", () => {
    expect(parseInbox({})).toMatchObject({ asksContact: false, rates: true, mayEnd: true, showsTyping: true, showsPlace: true, faces: [], answerMinutes: undefined });
  });

  it("survives whatever comes instead", () => {
    for (const odd of [undefined, null, 1, "x", [], { texts: 3, look: [] }, { texts: { greeting: { en: 5 } } }]) {
      expect(inboxText(parseInbox(odd), "greeting", "en")).toBe("");
    }
  });
});
