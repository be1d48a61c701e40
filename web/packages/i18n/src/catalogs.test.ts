// Every catalog has the same keys, the same parameters and a text for everything the server names.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import type { Message } from "./texts";

const modules = import.meta.glob<Record<string, Record<string, Message>>>("./catalogs/*.ts", { eager: true });

function catalog(path: string): Record<string, Message> {
  const found = Object.values(modules[path] ?? {})[0];
  if (!found) throw new Error(`${path} exports no catalog`);
  return found;
}

function parameters(message: Message): string[] {
  const text = typeof message === "string" ? message : message.other;
  return [...new Set([...text.matchAll(/\{(\w+)\}/g)].map((match) => match[1] ?? ""))].sort();
}

const sources = Object.keys(modules).filter((path) => path.endsWith(".en.ts"));

describe.each(sources)("%s", (path) => {
  const en = catalog(path);
  const zh = catalog(path.replace(".en.ts", ".zh-CN.ts"));

  it("has no missing and no left-over key in 简体中文", () => {
    expect(Object.keys(zh).sort()).toEqual(Object.keys(en).sort());
  });

  it("names the same parameters in every language", () => {
    for (const [key, message] of Object.entries(en)) expect([key, parameters(zh[key] ?? "")]).toEqual([key, parameters(message)]);
  });

  it("has no empty text and no untranslated sentence", () => {
    for (const [key, message] of Object.entries(zh)) {
      const text = typeof message === "string" ? message : message.other;
      expect(text.trim(), key).not.toBe("");
      // A text of names and signs alone has no words to translate.
      const wordless = !/\p{L}/u.test(text.replace(/\{\w+\}/g, ""));
      expect(/\p{Script=Han}/u.test(text) || text === en[key] || wordless, key).toBe(true);
    }
  });
});

describe("shared texts", () => {
  it("cover every system text of the protocol", () => {
    const table = readFileSync(join(import.meta.dirname, "../../../../crates/protocol/src/texts.rs"), "utf8");
    const texts = [...table.matchAll(/^ {4}[A-Z_]+ = "([a-z_.]+)", \[[^\]]*\], (true|false)/gm)].map(([, key = "", everybodys = ""]) => ({ key, everybodys: everybodys === "true" }));
    expect(texts.length).toBeGreaterThan(5);
    const shared = catalog("./catalogs/shared.en.ts");
    // What the team alone is told needs no words in the widget.
    const console = catalog("./catalogs/console.en.ts");
    for (const { key, everybodys } of texts) expect(Object.keys(everybodys ? shared : console)).toContain(`system.${key}`);
  });
});

describe("names of intents", () => {
  it("are those of a bot's brief", () => {
    const brief = readFileSync(join(import.meta.dirname, "../../../../crates/bot/src/brief.rs"), "utf8");
    const names = [...brief.matchAll(/^ {8}"([a-z]+)" => \("([^"]+)", "([^"]+)"\),$/gm)];
    expect(names).toHaveLength(5);
    for (const [, intent = "", english, chinese] of names) {
      expect([english, chinese]).toEqual([catalog("./catalogs/console.en.ts")[`intent.${intent}`], catalog("./catalogs/console.zh-CN.ts")[`intent.${intent}`]]);
    }
  });
});

describe("problems the server tells", () => {
  const crates = join(import.meta.dirname, "../../../../crates");
  const source = (path: string) => readFileSync(join(crates, path), "utf8").split("#[cfg(test)]")[0] ?? "";
  const codes = (pattern: RegExp, paths: readonly string[]) => paths.flatMap((path) => [...source(path).matchAll(pattern)].map((match) => match[1] ?? ""));
  const console = Object.keys(catalog("./catalogs/console.en.ts"));

  it("of a flow have words", () => {
    const pattern = /(?:error|refused)\(\s*"([a-z_]+)"|Severity::Warning,\s*"([a-z_]+)"/g;
    const paths = ["bot/src/flow/read.rs", "bot/src/flow/check.rs", "bot/src/flow/check/graph.rs", "bot/src/flow/check/tests_entries.rs"];
    const told = paths.flatMap((path) => [...source(path).matchAll(pattern)].map(([, error, warning]) => error ?? warning ?? ""));
    // What is counted: no choices, too many of them.
    const counted = codes(/self\.count\([^,]+, "([a-z]+)"/g, paths).flatMap((what) => (what === "options" ? ["too_many_options"] : [`no_${what}`, `too_many_${what}`]));
    // What says more of a file or a pattern that cannot be read.
    const unread = ["bot/src/flow/read.rs", "bot/src/flow/read/trouble.rs"];
    told.push(...codes(/code: "([a-z_]+)"/g, unread));
    const kinds = codes(/(?:=> |\()"([a-z_]+)"(?:,$|\)|, (?:Vec|vec|named|params|bracket))/gm, ["bot/src/flow/read/trouble.rs"]).map((kind) => `unreadable_${kind}`);
    const patterns = codes(/(?:=> |Some\()"([a-z_]+)"/g, ["bot/src/flow/check/pattern.rs"]).map((kind) => `bad_pattern_${kind}`);
    expect(told).toEqual(expect.arrayContaining(["unreadable", "too_large"]));
    expect(kinds).toEqual(expect.arrayContaining(["unreadable_unknown_field", "unreadable_not_list", "unreadable_tab", "unreadable_character"]));
    expect(patterns).toEqual(expect.arrayContaining(["bad_pattern_group_unclosed", "bad_pattern_unicode"]));
    expect(told.length).toBeGreaterThan(30);
    expect(counted.length).toBe(5);
    expect([...new Set([...told, ...counted, ...kinds, ...patterns])].filter((code) => !console.includes(`flow_problem.${code}`))).toEqual([]);
  });

  it("of files and pages have words", () => {
    const imports = ["knowledge/src/import/csv.rs", "knowledge/src/import/markdown.rs", "knowledge/src/import/page.rs", "knowledge/src/import/sitemap.rs"];
    const told = [
      ...codes(/Problem::new\([^,"]+,\s*"([a-z_]+)"/g, imports),
      ...codes(/=> "(article_[a-z_]+)"/g, ["knowledge/src/article.rs"]),
      ...codes(/=> "(outgoing\.[a-z_]+)"/g, ["outgoing/src/error.rs", "outgoing/src/guard.rs"]),
      ...codes(/(?:Trouble|Self)::new\(\s*"([a-z_]+)"/g, ["api/src/crawl.rs", "api/src/trouble.rs"]),
      ...codes(/about\("([a-z]+)"/g, ["api/src/crawl.rs"]).map((file) => `about_${file}`),
    ];
    expect(told.length).toBeGreaterThan(50);
    expect([...new Set(told)].filter((code) => !console.includes(`file_problem.${code}`))).toEqual([]);
  });
});
