import { readFileSync } from "node:fs";
import { join } from "node:path";
import { consoleEn } from "@frontdesk/i18n/catalogs/console.en";
import { describe, expect, it } from "vitest";
import { beyond, groupRights } from "./rights";

/** The server's own list. */
function allRights(): string[] {
  const table = readFileSync(join(import.meta.dirname, "../../../../../crates/core/src/rights.rs"), "utf8");
  return [...table.matchAll(/^ {4}\w+ = "([a-z_.]+)";/gm)].map((match) => match[1] ?? "");
}

describe("rights", () => {
  it("of the server all have a group, a name and a help text", () => {
    const all = allRights();
    expect(all.length).toBeGreaterThan(15);
    const grouped = groupRights(all);
    expect(grouped.map((group) => group.name)).toEqual(["read", "answer", "lead", "settings"]);
    expect(grouped.flatMap((group) => group.rights).sort()).toEqual([...all].sort());
    const texts = Object.keys(consoleEn);
    for (const right of all) expect(texts).toEqual(expect.arrayContaining([`right.${right}`, `right_help.${right}`]));
  });

  it("that are new stand by themselves, and an older server's are not offered", () => {
    expect(groupRights(["conversation.write", "bots.train"])).toEqual([
      { name: "answer", rights: ["conversation.write"] },
      { name: "other", rights: ["bots.train"] },
    ]);
  });

  it("are given by those who have them", () => {
    expect(beyond(["a", "b"], new Set(["a"]))).toEqual(["b"]);
  });
});
