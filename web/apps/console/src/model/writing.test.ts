// What is offered while somebody writes: where a sign asks for something, colleagues, emoji.
import { describe, expect, it } from "vitest";
import type { Agent } from "./api";
import { emoji, emojiGroups, findEmoji } from "./emoji-set";
import { cutAtMentions, findColleagues, mentionedIn, mentionsMax } from "./mentions";
import { answerTrigger, triggerAt } from "./triggers";

const all = ["reply", "mention", "emoji"] as const;

describe("a trigger", () => {
  it.each([
    ["/fh", "reply", 0, "fh"],
    ["、发", "reply", 0, "发"],
    ["好的 ／", "reply", 3, ""],
    ["one\n/tw", "reply", 4, "tw"],
    ["@me", "mention", 0, "me"],
    ["请＠林", "mention", 1, "林"],
    [":smi", "emoji", 0, "smi"],
    ["好 ：kai", "emoji", 2, "kai"],
  ])("%s asks for a %s", (text, kind, start, query) => expect(triggerAt(text, text.length, all)).toEqual({ kind, start, query }));

  it.each(["see https://x", "1/2", "茶壶、盖碗", "lin@example", "时间：明天", "12:30", "/a b", "", "@a @"])("%s asks for nothing, or not for that", (text) => {
    expect(triggerAt(text, text.length, ["reply", "emoji"])).toBeNull();
  });

  it("is only what stands before the caret, and only of the kinds wanted", () => {
    expect(triggerAt("/fh", 0, all)).toBeNull();
    expect(triggerAt("lin@example.com", 15, all)).toBeNull();
    expect(triggerAt("/fh", 3, ["emoji"])).toBeNull();
  });

  it("is answered in its place", () => {
    const trigger = triggerAt("Hello /fh", 9, all);
    if (trigger === null) throw new Error("nothing was asked for");
    expect(answerTrigger("Hello /fh and bye", trigger, "ships today")).toEqual({ text: "Hello ships today and bye", caret: 17 });
  });
});

describe("colleagues", () => {
  const agent = (id: string, name: string, presence: Agent["presence"]): Agent => ({ id, name, presence, teams: [], open_sessions: 0, capacity: 1 });
  const agents = [agent("u1", "林晓", "online"), agent("u2", "Mei Chen", "offline"), agent("u3", "李梅", "online"), agent("u4", "林晓明", "away")];
  const names = (query: string) => findColleagues(agents, "u1", query, 9).map((known) => known.name);

  it("are found by name, pinyin and initials, without oneself", () => {
    expect(names("lxm")).toEqual(["林晓明"]);
    expect(names("linxiao")).toEqual(["林晓明"]);
    expect(names("mei")).toEqual(["Mei Chen", "李梅"]);
    expect(names("chen")).toEqual(["Mei Chen"]);
    expect(names("").sort()).toEqual(["Mei Chen", "林晓明", "李梅"].sort());
  });

  it("are cut out of a text, the longest name first", () => {
    expect(cutAtMentions("请@林晓明 和＠林晓看, @nobody", agents).map((piece) => piece.mention?.id ?? piece.text)).toEqual(["请", "u4", " 和", "u1", "看, @nobody"]);
    expect(mentionedIn("@林晓 @林晓", agents)).toEqual(["u1"]);
  });

  it("are as many as a note may carry", () => {
    const many = Array.from({ length: 30 }, (_, at) => ({ id: `u${at}`, name: `n${String(at).padStart(2, "0")}` }));
    expect(mentionedIn(many.map(({ name }) => `@${name}`).join(" "), many)).toHaveLength(mentionsMax);
  });
});

describe("the emoji", () => {
  it("are each there once, with names in both languages", () => {
    const known = emojiGroups.flatMap((group) => emoji[group]);
    expect(new Set(known.map(({ sign }) => sign)).size).toBe(known.length);
    for (const { sign, en, zh } of known) {
      expect(sign, sign).toMatch(/^\p{Extended_Pictographic}/u);
      expect(en, sign).toMatch(/^[a-z ]+$/);
      expect(zh, sign).toMatch(/^[\p{Script=Han} ]+$/u);
    }
  });

  it("are found in English, Chinese and by pinyin", () => {
    const first = (query: string) => findEmoji(query, 5)[0]?.sign;
    expect(first("thumbs")).toBe("👍");
    expect(first("谢谢")).toBe("🙏");
    expect(first("fahuo")).toBe("📦");
    expect(first("jiayou")).toBe("💪");
    expect(findEmoji("", 8)).toHaveLength(8);
    expect(findEmoji("qqqq", 8)).toEqual([]);
  });
});
