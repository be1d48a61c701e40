// Markdown as a tree of plain values, for a preview that never parses markup: headings, paragraphs, lists, quotes,
// code, tables, rules; in a line emphasis, code and links. What is not known stays the text it is.

export type Inline =
  | { readonly kind: "text" | "code"; readonly text: string }
  | { readonly kind: "strong" | "em"; readonly inside: readonly Inline[] }
  | { readonly kind: "link"; readonly href: string; readonly inside: readonly Inline[] }
  | { readonly kind: "break" };

export type Block =
  | { readonly kind: "heading"; readonly level: 1 | 2 | 3 | 4 | 5 | 6; readonly inside: readonly Inline[] }
  | { readonly kind: "paragraph"; readonly inside: readonly Inline[] }
  | { readonly kind: "list"; readonly ordered: boolean; readonly start: number; readonly items: readonly (readonly Block[])[] }
  | { readonly kind: "quote"; readonly blocks: readonly Block[] }
  | { readonly kind: "code"; readonly text: string }
  | { readonly kind: "table"; readonly head: readonly (readonly Inline[])[]; readonly rows: readonly (readonly (readonly Inline[])[])[] }
  | { readonly kind: "rule" };

/** Deeper quotes and lists are read as text. */
const depthMax = 5;

export function parseMarkdown(text: string): readonly Block[] {
  return blocksOf(text.replace(/\r\n?/g, "\n").replace(/\t/g, "    ").split("\n"), 0);
}

const fence = /^ {0,3}(`{3,}|~{3,})/;
const heading = /^ {0,3}(#{1,6})(?: +(.*?))?(?: +#+)? *$/;
const rule = /^ {0,3}(?:(?:\* *){3,}|(?:- *){3,}|(?:_ *){3,})$/;
const item = /^( {0,3})([-*+]|\d{1,9}[.)])( +|$)/;
const quote = /^ {0,3}> ?/;
const tableRule = /^ {0,3}\|? *:?-+:? *(?:\| *:?-+:? *)*\|? *$/;

function blocksOf(lines: readonly string[], depth: number): Block[] {
  const blocks: Block[] = [];
  let at = 0;
  let words: string[] = [];
  const flush = () => {
    if (words.length > 0) blocks.push({ kind: "paragraph", inside: inlineOf(words.join("\n")) });
    words = [];
  };
  while (at < lines.length) {
    const line = lines[at] ?? "";
    const opened = fence.exec(line)?.[1];
    if (opened !== undefined) {
      flush();
      const from = at + 1;
      at = from;
      while (at < lines.length && !(lines[at] ?? "").trim().startsWith(opened)) at += 1;
      blocks.push({ kind: "code", text: lines.slice(from, at).join("\n") });
      at += 1;
      continue;
    }
    if (line.trim() === "") {
      flush();
      at += 1;
      continue;
    }
    const title = heading.exec(line);
    if (title !== null) {
      flush();
      blocks.push({ kind: "heading", level: (title[1] ?? "#").length as 1, inside: inlineOf(title[2] ?? "") });
      at += 1;
      continue;
    }
    if (rule.test(line)) {
      flush();
      blocks.push({ kind: "rule" });
      at += 1;
      continue;
    }
    if (depth < depthMax && quote.test(line)) {
      flush();
      const inner: string[] = [];
      while (at < lines.length && quote.test(lines[at] ?? "")) inner.push((lines[at++] ?? "").replace(quote, ""));
      blocks.push({ kind: "quote", blocks: blocksOf(inner, depth + 1) });
      continue;
    }
    const first = item.exec(line);
    if (depth < depthMax && first !== null) {
      flush();
      const list = listOf(lines, at, depth);
      blocks.push(list.block);
      at = list.end;
      continue;
    }
    if (words.length === 0 && line.includes("|") && tableRule.test(lines[at + 1] ?? "") && (lines[at + 1] ?? "").includes("-")) {
      const head = cellsOf(line);
      const rows: (readonly (readonly Inline[])[])[] = [];
      at += 2;
      for (; at < lines.length && (lines[at] ?? "").includes("|"); at++) {
        const cells = cellsOf(lines[at] ?? "");
        rows.push(head.map((_, cell) => cells[cell] ?? []));
      }
      blocks.push({ kind: "table", head, rows });
      continue;
    }
    words.push(line.trimStart());
    at += 1;
  }
  flush();
  return blocks;
}

function listOf(lines: readonly string[], from: number, depth: number): { readonly block: Block; readonly end: number } {
  const sign = item.exec(lines[from] ?? "")?.[2] ?? "-";
  const ordered = /^\d/.test(sign);
  const items: (readonly Block[])[] = [];
  let at = from;
  while (at < lines.length) {
    const begun = item.exec(lines[at] ?? "");
    if (begun === null || /^\d/.test(begun[2] ?? "") !== ordered) break;
    const indent = begun[0].length;
    const inner = [(lines[at] ?? "").slice(indent)];
    at += 1;
    while (at < lines.length) {
      const line = lines[at] ?? "";
      const inset = line.length - line.trimStart().length;
      if (line.trim() === "") {
        // A blank line ends the item unless what follows is set in.
        const next = lines[at + 1] ?? "";
        if (next.trim() === "" || next.length - next.trimStart().length < 2) break;
        inner.push("");
      } else if (inset >= 2) inner.push(line.slice(Math.min(inset, indent)));
      else if (item.test(line) || quote.test(line) || heading.test(line) || fence.test(line) || rule.test(line)) break;
      else inner.push(line);
      at += 1;
    }
    items.push(blocksOf(inner, depth + 1));
    while (at < lines.length && (lines[at] ?? "").trim() === "" && item.test(lines[at + 1] ?? "")) at += 1;
  }
  return { block: { kind: "list", ordered, start: ordered ? Number.parseInt(sign, 10) : 1, items }, end: at };
}

function cellsOf(line: string): (readonly Inline[])[] {
  const bare = line.trim().replace(/^\|/, "").replace(/\|$/, "");
  return bare.split("|").map((cell) => inlineOf(cell.trim()));
}

const escapable = /[\\`*_{}[\]()#+\-.!|<>~]/;

/** Emphasis, code and links of a text; every sign is looked at once at each depth. */
function inlineOf(text: string, depth = 0): readonly Inline[] {
  const out: Inline[] = [];
  let plain = "";
  let at = 0;
  const put = (inline: Inline, end: number) => {
    if (plain !== "") out.push({ kind: "text", text: plain });
    plain = "";
    out.push(inline);
    at = end;
  };
  while (at < text.length) {
    const sign = text[at] ?? "";
    if (sign === "\\" && escapable.test(text[at + 1] ?? "")) {
      plain += text[at + 1] ?? "";
      at += 2;
      continue;
    }
    if (sign === "\n") {
      const hard = plain.endsWith("  ") || plain.endsWith("\\");
      plain = plain.replace(/ +$/, "").replace(/\\$/, "");
      if (hard) put({ kind: "break" }, at + 1);
      else {
        plain += needsSpace(plain, text[at + 1] ?? "") ? " " : "";
        at += 1;
      }
      continue;
    }
    if (sign === "`") {
      const end = text.indexOf("`", at + 1);
      if (end > at + 1) {
        put({ kind: "code", text: text.slice(at + 1, end) }, end + 1);
        continue;
      }
    }
    if (depth < depthMax && (sign === "*" || sign === "_")) {
      const mark = text.startsWith(sign + sign, at) ? sign + sign : sign;
      const end = closing(text, at, mark);
      if (end > 0) {
        put({ kind: mark.length === 2 ? "strong" : "em", inside: inlineOf(text.slice(at + mark.length, end), depth + 1) }, end + mark.length);
        continue;
      }
    }
    if (depth < depthMax && (sign === "[" || (sign === "!" && text[at + 1] === "["))) {
      const found = /^!?\[([^\]\n]{0,500})\]\(\s*<?([^\s<>()]{1,2000}(?:\([^\s<>()]{0,200}\))?)>?(?:\s+["'][^"'\n]{0,500}["'])?\s*\)/.exec(text.slice(at, at + 3_500));
      const href = found === null ? null : safeHref(found[2] ?? "");
      if (found !== null && href !== null) {
        put({ kind: "link", href, inside: inlineOf(found[1] === "" ? href : (found[1] ?? ""), depth + 1) }, at + found[0].length);
        continue;
      }
    }
    plain += sign;
    at += 1;
  }
  if (plain !== "") out.push({ kind: "text", text: plain });
  return out;
}

/** A broken line is one blank, but between Chinese signs none. */
function needsSpace(before: string, next: string): boolean {
  const wide = /[\p{Script=Han}\u3000-\u303f\uff00-\uffef]/u;
  return !(wide.test(before.slice(-1)) && wide.test(next));
}

/** Where emphasis ends that begins at `from`; -1 where it does not. */
function closing(text: string, from: number, mark: string): number {
  const first = text[from + mark.length] ?? " ";
  if (/\s/.test(first) || (mark[0] === "_" && /[\p{L}\p{N}]/u.test(text[from - 1] ?? ""))) return -1;
  const end = text.indexOf(mark, from + mark.length + 1);
  return end < 0 || /\s/.test(text[end - 1] ?? " ") ? -1 : end;
}

/** Only addresses of the web, of mail, of phones and of this help centre lead anywhere. */
export function safeHref(address: string): string | null {
  if (/^(?:https?:|mailto:|tel:)/i.test(address)) return address;
  return /^[a-z][a-z0-9+.-]*:/i.test(address) || address.startsWith("//") ? null : address;
}
