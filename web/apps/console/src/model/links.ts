// Finds addresses in what people write. Only http, https and mailto become links; everything else
// stays text.

export type Piece = { readonly kind: "text"; readonly text: string } | { readonly kind: "link"; readonly text: string; readonly href: string };

const address = /\bhttps?:\/\/[^\s<>"'，。；！？、（）【】《》]+|\b[\w.+-]+@[\w-]+(?:\.[\w-]+)+/gi;
/** Punctuation at the end belongs to the sentence, a bracket only if it was not opened inside. */
const trailing = /[.,;:!?'"»”’]+$/;

function trim(found: string): string {
  let text = found.replace(trailing, "");
  while (text.endsWith(")") && !text.includes("(")) text = text.slice(0, -1);
  return text;
}

function hrefOf(text: string): string | null {
  try {
    const url = new URL(/^https?:/i.test(text) ? text : `mailto:${text}`);
    return ["http:", "https:", "mailto:"].includes(url.protocol) ? url.href : null;
  } catch {
    return null;
  }
}

export function pieces(text: string): Piece[] {
  const out: Piece[] = [];
  let from = 0;
  for (const match of text.matchAll(address)) {
    const found = trim(match[0]);
    const href = hrefOf(found);
    if (href === null) continue;
    if (match.index > from) out.push({ kind: "text", text: text.slice(from, match.index) });
    out.push({ kind: "link", text: found, href });
    from = match.index + found.length;
  }
  if (from < text.length) out.push({ kind: "text", text: text.slice(from) });
  return out;
}
