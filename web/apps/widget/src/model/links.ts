// Finds web and mail addresses in plain text. Only http, https and mailto ever become links.

export type Piece = { readonly kind: "text"; readonly text: string } | { readonly kind: "link"; readonly text: string; readonly href: string };

const ADDRESS = /\bhttps?:\/\/[^\s<>"'\u3000-\u303f\uff00-\uffef]+|\b[\w.+-]+@[\w-]+(?:\.[\w-]+)+/gi;
/** Closes a sentence or a bracket rather than an address. */
const TRAILING = /[.,;:!?)\]}]+$/;

export function findLinks(text: string): Piece[] {
  const pieces: Piece[] = [];
  let at = 0;
  for (const match of text.matchAll(ADDRESS)) {
    const found = match[0].replace(TRAILING, "");
    const start = match.index;
    if (start > at) pieces.push({ kind: "text", text: text.slice(at, start) });
    pieces.push({ kind: "link", text: found, href: found.includes("://") ? found : `mailto:${found}` });
    at = start + found.length;
  }
  if (at < text.length) pieces.push({ kind: "text", text: text.slice(at) });
  return pieces;
}
