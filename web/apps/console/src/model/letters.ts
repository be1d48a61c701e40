// The letters that stand for somebody without a picture.

/** One sign for a CJK name, up to two for others; what stands in brackets, and a title, are no part of a name. */
export function letters(name: string): string {
  const bare = name.replace(/[(（][^)）]*[)）]/g, " ");
  const words = (/[\p{L}\p{N}]/u.test(bare) ? bare : name).split(/[^\p{L}\p{M}\p{N}]+/u).filter((word) => word !== "");
  const first = [...(words[0] ?? "")][0] ?? "";
  if (/\p{Script=Han}/u.test(first)) return [...(words.at(-1) ?? "").replace(/(.)(女士|小姐|先生|师傅|老师)$/u, "$1")].at(-1) ?? first;
  const second = words.length > 1 ? ([...(words.at(-1) ?? "")][0] ?? "") : "";
  return (first + second).toUpperCase();
}
