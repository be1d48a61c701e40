// The first letter of a Chinese character's reading, from the order in which the browser's own
// pinyin collation sorts characters: no table of readings to ship. Finds 发货 by "fh".

// The first character of each initial in pinyin order; no syllable begins with i, u or v.
const firsts: readonly (readonly [string, string])[] = [
  ["a", "阿"], ["b", "八"], ["c", "嚓"], ["d", "哒"], ["e", "妸"], ["f", "发"], ["g", "旮"], ["h", "哈"],
  ["j", "讥"], ["k", "咔"], ["l", "垃"], ["m", "痳"], ["n", "拏"], ["o", "噢"], ["p", "妑"], ["q", "七"],
  ["r", "呥"], ["s", "扨"], ["t", "它"], ["w", "穵"], ["x", "夕"], ["y", "丫"], ["z", "帀"],
];

const collator = new Intl.Collator("zh-Hans-u-co-pinyin");
const han = /\p{Script=Han}/u;
const known = new Map<string, string>();

function initial(character: string): string {
  const cached = known.get(character);
  if (cached !== undefined) return cached;
  let letter = "";
  for (const [name, first] of firsts) {
    if (collator.compare(first, character) > 0) break;
    letter = name;
  }
  known.set(character, letter);
  return letter;
}

/** The text in lower case with every Chinese character replaced by the first letter of its reading. */
export function initials(text: string): string {
  let out = "";
  for (const character of text) out += han.test(character) ? initial(character) : character.toLowerCase();
  return out;
}
