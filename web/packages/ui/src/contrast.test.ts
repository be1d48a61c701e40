import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { accentColours, contrast, parseColour } from "./contrast";

const css = readFileSync(join(import.meta.dirname, "tokens.css"), "utf8");

function tokens(theme: "light" | "dark"): (name: string) => string {
  const own = new RegExp(`\\[data-theme="${theme}"\\] \\{([^}]*)\\}`).exec(css)?.[1] ?? "";
  const aliases = /\[data-theme\] \{([^}]*)\}/.exec(css)?.[1] ?? "";
  const values = new Map([...(own + aliases).matchAll(/--([\w-]+): ([^;]+);/g)].map((match) => [match[1] ?? "", match[2] ?? ""]));
  const resolve = (name: string): string => {
    const value = values.get(name) ?? "";
    const inner = /^var\(--([\w-]+)(?:, (#\w+))?\)$/.exec(value);
    return inner ? (inner[2] ?? resolve(inner[1] ?? "")) : value;
  };
  return resolve;
}

function ratio(a: string, b: string): number {
  const [x, y] = [parseColour(a), parseColour(b)];
  if (!x || !y) throw new Error(`no colour: ${a} or ${b}`);
  return contrast(x, y);
}

describe.each(["light", "dark"] as const)("the %s tokens", (theme) => {
  const token = tokens(theme);

  it("keep text readable on every surface it stands on", () => {
    for (const text of ["text", "text-quiet"]) {
      for (const surface of ["page", "surface", "hover", "pressed"]) {
        expect([text, surface, ratio(token(text), token(surface)) >= 4.5]).toEqual([text, surface, true]);
      }
    }
  });

  it("keep the four states and the accent readable on their quiet backgrounds and on the page", () => {
    for (const state of ["ok", "warning", "danger", "info"]) {
      for (const surface of [token(`${state}-quiet`), token("page")]) {
        expect([state, ratio(token(`${state}-text`), surface) >= 4.5]).toEqual([state, true]);
      }
    }
    expect(ratio(token("accent-text"), token("page"))).toBeGreaterThanOrEqual(4.5);
    expect(ratio(token("accent-text"), token("accent-quiet"))).toBeGreaterThanOrEqual(4.5);
  });

  it("have a ramp of twelve neutral steps, each further from the page, and visible control borders", () => {
    const ramp = Array.from({ length: 12 }, (_, at) => ratio(token(`neutral-${at + 1}`), token("neutral-1")));
    expect(ramp).toEqual([...ramp].sort((a, b) => a - b));
    expect(ratio(token("control-border"), token("page"))).toBeGreaterThanOrEqual(3);
  });
});

describe("an accent", () => {
  it("gets text that can be read on it, whatever it is", () => {
    for (let step = 0; step < 216; step++) {
      const part = (of: number): string => ((Math.floor(step / of) % 6) * 51).toString(16).padStart(2, "0");
      const chosen = `#${part(36)}${part(6)}${part(1)}`;
      const colours = accentColours(chosen);
      if (!colours) throw new Error("no colour");
      expect(ratio(colours.accent, colours.onAccent), chosen).toBeGreaterThanOrEqual(4.5);
      expect(ratio(colours.textLight, "#ffffff"), chosen).toBeGreaterThanOrEqual(4.5);
      expect(ratio(colours.textDark, "#17181c"), chosen).toBeGreaterThanOrEqual(4.5);
    }
  });

  it("is refused where it is no colour", () => {
    for (const bad of ["", "red", "#12", "#12345g", "url(x)"]) expect(accentColours(bad)).toBeUndefined();
    expect(accentColours("#0a8")?.accent).toBe("#00aa88");
  });
});
