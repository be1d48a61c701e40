import { describe, expect, it } from "vitest";
import type { IntentConfig, IntentRule, Team } from "./api";
import { knownIntents, leadOf, nameProblem, ownLead, ownOf, ownThreshold, parseKeywords, parseSkills, priorityOf, refusedInbox, refusedPart, refusedTeam, ruleProblem, skillsProblem, teamField, teamOf, withLead, withRule, withRuleMoved, withThreshold, withoutInbox, withoutRule } from "./intent-settings";

const nothing: IntentConfig = { threshold: {}, intents: {}, rules: [], inboxes: {} };
const rule = (intent: string, ...keywords: readonly string[]): IntentRule => ({ intent, keywords, regex: null });
const lead = { team: "t1", skills: ["money"], priority: "high" } as const;

describe("a threshold of one's own", () => {
  it("is set everywhere or in one inbox, to a hundredth", () => {
    const all = withThreshold(nothing, "", "sales", 0.7500000001);
    expect(all).toEqual({ ...nothing, threshold: { sales: 0.75 } });
    const one = withThreshold(all, "shop", "sales", 0.6);
    expect(one).toEqual({ ...all, inboxes: { shop: { threshold: { sales: 0.6 }, intents: {}, rules: [] } } });
    expect([ownThreshold(one, "", "sales"), ownThreshold(one, "shop", "sales"), ownThreshold(one, "other", "sales"), ownThreshold(one, "shop", "consult")]).toEqual([0.75, 0.6, null, null]);
  });

  it("may be 0, which is not nothing", () => {
    expect(ownThreshold(withThreshold(nothing, "", "sales", 0), "", "sales")).toBe(0);
  });

  it("leaves no trace when it goes, and touches nothing else", () => {
    const before = withThreshold(withThreshold(withThreshold(nothing, "", "sales", 0.7), "", "consult", 0.5), "shop", "sales", 0.6);
    expect(withThreshold(before, "shop", "sales", null)).toEqual({ ...nothing, threshold: { sales: 0.7, consult: 0.5 } });
    expect(withThreshold(before, "", "sales", null)).toEqual({ ...before, threshold: { consult: 0.5 } });
    expect(before.inboxes["shop"]?.threshold).toEqual({ sales: 0.6 });
  });
});

describe("where an intent leads", () => {
  it("replaces what is inherited as a whole, also with nothing", () => {
    const nowhere = { team: null, skills: [], priority: null };
    const own = withLead(withLead(nothing, "shop", "sales", lead), "shop", "refund", nowhere);
    expect(ownOf(own, "shop").intents).toEqual({ sales: lead, refund: nowhere });
    expect([ownLead(own, "shop", "refund"), ownLead(own, "", "refund")]).toEqual([nowhere, null]);
    expect(withLead(withLead(own, "shop", "sales", null), "shop", "refund", null)).toEqual(nothing);
  });

  it("is not mistaken for what every object has", () => {
    expect([ownLead(nothing, "", "constructor"), ownOf(nothing, "toString").rules, ownThreshold(nothing, "", "valueOf")]).toEqual([null, [], null]);
    const own = withLead(nothing, "", "__proto__", lead);
    expect(ownLead(own, "", "__proto__")).toEqual(lead);
    expect(JSON.stringify(own.intents)).toBe('{"__proto__":{"team":"t1","skills":["money"],"priority":"high"}}');
  });

  it("is read from what holds: a team by its id or a name, a priority by its number", () => {
    const teams: readonly Team[] = [{ id: "t1", names: { en: "Night shift", "zh-CN": "夜班" }, members: [] }];
    const target = { intent: "refund", team: "夜班", skills: ["money"], priority: 3 };
    expect(leadOf(target, teams)).toEqual(lead);
    expect(leadOf({ ...target, team: "t1" }, teams)).toEqual(lead);
    expect(leadOf({ intent: "refund", team: "Day shift", skills: [], priority: null }, teams)).toEqual({ team: null, skills: [], priority: null });
    expect([teamOf({ team: null }, teams), teamOf({ team: "" }, teams), teamOf({ team: "Night shift" }, teams)?.id]).toEqual([null, null, "t1"]);
    expect([0, 1, 2, 3, 4, 9].map(priorityOf)).toEqual([null, "low", "normal", "high", "urgent", "urgent"]);
  });
});

describe("rules of one's own", () => {
  const [a, b, c] = [rule("sales", "buy"), rule("refund", "money back"), rule("human", "人工")] as const;
  const own = [a, b, c].reduce((before, one) => withRule(before, "", null, one), nothing);

  it("are added behind the others, changed in their place and removed", () => {
    expect(own.rules).toEqual([a, b, c]);
    const changed = rule("refund", "refund");
    expect(withRule(own, "", { at: 1, rule: b }, changed).rules).toEqual([a, changed, c]);
    expect(withoutRule(own, "", { at: 1, rule: b }).rules).toEqual([a, c]);
    expect(withoutRule(withRule(nothing, "shop", null, a), "shop", { at: 0, rule: a })).toEqual(nothing);
  });

  it("move past their neighbour and not over an end", () => {
    expect(withRuleMoved(own, "", { at: 2, rule: c }, -1).rules).toEqual([a, c, b]);
    expect(withRuleMoved(own, "", { at: 0, rule: a }, 1).rules).toEqual([b, a, c]);
    expect(withRuleMoved(own, "", { at: 0, rule: a }, -1).rules).toEqual([a, b, c]);
    expect(withRuleMoved(own, "", { at: 2, rule: c }, 1).rules).toEqual([a, b, c]);
  });

  it("are known by what they say where somebody else changed the list meanwhile", () => {
    const meanwhile = { ...own, rules: [c, a, b] };
    expect(withRuleMoved(meanwhile, "", { at: 1, rule: b }, -1).rules).toEqual([c, b, a]);
    expect(withoutRule(meanwhile, "", { at: 2, rule: c }).rules).toEqual([a, b]);
    const gone = { ...own, rules: [a] };
    expect(withoutRule(gone, "", { at: 1, rule: b }).rules).toEqual([a]);
    expect(withRuleMoved(gone, "", { at: 1, rule: b }, -1).rules).toEqual([a]);
    expect(withRule(gone, "", { at: 1, rule: b }, c).rules).toEqual([a, c]);
  });

  it("of two that say the same the one that was meant is taken, with a pattern or without", () => {
    const twice = { ...nothing, rules: [{ intent: "sales", keywords: ["buy"] }, b, a] };
    expect(withoutRule(twice, "", { at: 2, rule: a }).rules).toEqual([{ intent: "sales", keywords: ["buy"] }, b]);
    expect(withoutRule(twice, "", { at: 0, rule: { ...a, regex: "" } }).rules).toEqual([b, a]);
  });

  it("are refused where they hold more than the server takes", () => {
    const words = Array.from({ length: 201 }, (_, at) => `word ${at}`);
    expect(ruleProblem(rule("sales", ...words))).toBe("keywords_too_many");
    expect(ruleProblem(rule("sales", ...words.slice(1)))).toBeNull();
    expect(ruleProblem(rule("sales", "退".repeat(334)))).toBe("keywords_too_long");
    expect(ruleProblem({ intent: "sales", keywords: [], regex: "a".repeat(1_001) })).toBe("regex_too_long");
  });
});

describe("what people type", () => {
  it("is skills between commas of any kind, in lower case and each once", () => {
    expect(parseSkills(" Refunds, chinese，茶器、English; refunds ;\n ,")).toEqual(["refunds", "chinese", "茶器", "english"]);
    expect(parseSkills("  ")).toEqual([]);
    expect(skillsProblem(parseSkills(Array.from({ length: 16 }, (_, at) => `s${at}`).join()))).toBeNull();
    expect(skillsProblem(parseSkills(Array.from({ length: 17 }, (_, at) => `s${at}`).join()))).toBe("too_many");
    expect([skillsProblem(["茶".repeat(32)]), skillsProblem(["茶".repeat(33)])]).toEqual([null, "too_long"]);
  });

  it("is a keyword a line, whose case makes no other one of it", () => {
    expect(parseKeywords(" money back \r\n\n退款\nMoney Back\nB, C")).toEqual(["money back", "退款", "B, C"]);
  });

  it("is a name of an intent where it is of letters, digits and two signs", () => {
    const cases: readonly (readonly [name: string, problem: ReturnType<typeof nameProblem>])[] = [["refund", null], ["退款_2-b", null], ["", "empty"], ["two words", "characters"], ["a.b", "characters"], ["other", "other"], ["Other", null], ["a".repeat(64), null], ["a".repeat(65), "too_long"], ["退".repeat(22), "too_long"]];
    for (const [name, problem] of cases) expect([name, nameProblem(name)]).toEqual([name, problem]);
  });

  it("may be chosen from what the console and the rules know", () => {
    expect(knownIntents([{ intent: "refund" }, { intent: "human" }, { intent: "refund" }])).toEqual(["complaint", "consult", "sales", "human", "refund"]);
  });
});

describe("a refusal", () => {
  it("names the team of an intent, everywhere or in an inbox", () => {
    expect(refusedTeam(teamField("", "sales"))).toEqual({ inbox: "", intent: "sales" });
    expect(refusedTeam(teamField("i1", "re-fund"))).toEqual({ inbox: "i1", intent: "re-fund" });
    expect([refusedTeam("own"), refusedTeam("own.inboxes.i1"), refusedTeam("own.rules")]).toEqual([null, null, null]);
  });

  it("names an inbox that is gone, and what is said of it goes, too", () => {
    expect([refusedInbox("own.inboxes.i1"), refusedInbox(teamField("i1", "sales")), refusedInbox("own")]).toEqual(["i1", null, null]);
    const own = withThreshold(withThreshold(nothing, "", "sales", 0.5), "i1", "sales", 0.6);
    expect(withoutInbox(own, "i1")).toEqual({ ...nothing, threshold: { sales: 0.5 } });
  });

  it("is about a part of an entry by its words", () => {
    const cases: readonly (readonly [detail: string, part: ReturnType<typeof refusedPart>])[] = [
      ["the regex cannot be read: unclosed group", "regex"],
      ["of all rules: the regex takes too much memory: fewer or smaller repetitions", "regex"],
      ["a pattern has at most 1000 bytes", "regex"],
      ["a keyword has 1 to 1000 bytes", "keywords"],
      ["a rule can have at most 200 keywords", "keywords"],
      ["an intent can wish for at most 16 skills", "skills"],
      ["an inbox can have at most 200 rules", null],
    ];
    for (const [detail, part] of cases) expect([detail, refusedPart(detail)]).toEqual([detail, part]);
  });
});
