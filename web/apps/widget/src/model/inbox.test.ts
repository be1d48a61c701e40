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

  it("survives whatever comes instead", () => {
    for (const odd of [undefined, null, 1, "x", [], { texts: 3, look: [] }, { texts: { greeting: { en: 5 } } }]) {
      expect(inboxText(parseInbox(odd), "greeting", "en")).toBe("");
    }
  });
});
