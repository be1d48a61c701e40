// Finds web and mail addresses in what people write. Only http, https and mailto ever become links;
// everything else stays text.

export type Piece = { readonly kind: "text"; readonly text: string } | { readonly kind: "link"; readonly text: string; readonly href: string };

/** Ends at CJK punctuation, and at characters nobody sees: some of them let an address read backwards. */
const ADDRESS = /\bhttps?:\/\/[^\s\p{C}<>"'\u3000-\u303f\uff00-\uffef]+|\b[\w.+-]+@[\w-]+(?:\.[\w-]+)+/giu;
/** Closes a sentence or a bracket rather than an address. */
const TRAILING = /[.,;:!?»”’\]}]+$/;

export function findLinks(text: string): Piece[] {
  const pieces: Piece[] = [];
  let at = 0;
  for (const match of text.matchAll(ADDRESS)) {
    const start = match.index;
    const found = trim(match[0]);
    const href = addressOf(found);
    if (href === "") continue;
    if (start > at) pieces.push({ kind: "text", text: text.slice(at, start) });
    pieces.push({ kind: "link", text: found, href });
    at = start + found.length;
  }
  if (at < text.length) pieces.push({ kind: "text", text: text.slice(at) });
  return pieces;
}

/** A bracket at the end belongs to the address only if it was opened inside. */
function trim(found: string): string {
  const text = found.replace(TRAILING, "");
  return text.endsWith(")") && !text.includes("(") ? trim(text.slice(0, -1)) : text;
}

function addressOf(found: string): string {
  try {
    return new URL(found.includes("://") ? found : `mailto:${found}`).href;
  } catch {
    return "";
  }
}
