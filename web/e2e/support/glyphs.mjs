// Whether what a page says is drawn, and not boxes in its place: each character against the picture of
// one that no font has, and which fonts serve Chinese and emoji.
import assert from "node:assert/strict";

/** What fonts for Chinese, and for emoji, are called on the systems people have. */
const CHINESE = /CJK|PingFang|YaHei|Hei|Song|Ming|Source Han|WenQuanYi/i;
const EMOJI = /Emoji/i;
/** No font has it: it is for private use, and nobody uses it. */
const NOBODYS = "\u{10fffd}";

/** In the page: the characters that are drawn as the box of a missing one. */
export function missing({ texts, nobodys }) {
  const canvas = document.createElement("canvas");
  canvas.width = canvas.height = 48;
  const draw = canvas.getContext("2d", { willReadFrequently: true });
  draw.font = `24px ${getComputedStyle(document.body).fontFamily}`;
  draw.textBaseline = "middle";
  const pictureOf = (character) => {
    draw.clearRect(0, 0, 48, 48);
    draw.fillText(character, 4, 24);
    return draw.getImageData(0, 0, 48, 48).data.join();
  };
  const box = pictureOf(nobodys);
  const characters = new Set([...new Intl.Segmenter("zh", { granularity: "grapheme" }).segment(texts)].map(({ segment }) => segment).filter((segment) => segment.trim() !== ""));
  return { seen: characters.size, boxes: [...characters].filter((character) => pictureOf(character) === box) };
}

/** Fails on boxes in a page or a frame, and on Chinese or emoji that other fonts serve. */
export async function checkGlyphs(page, view, frame = page.mainFrame()) {
  const texts = await frame.evaluate(() => [document.body.innerText, ...[...document.querySelectorAll("[placeholder]")].map((field) => field.placeholder)].join(" "));
  const { seen, boxes } = await frame.evaluate(missing, { texts, nobodys: NOBODYS });
  assert.deepEqual(boxes, [], `${view}: of ${seen} characters these are boxes`);
  const fonts = await fontsOf(page, frame);
  const served = (family) => fonts.filter(({ familyName }) => family.test(familyName)).reduce((sum, { glyphCount }) => sum + glyphCount, 0);
  const han = texts.match(/\p{Script=Han}/gu)?.length ?? 0;
  const emoji = texts.match(/\p{Emoji_Presentation}/gu)?.length ?? 0;
  const names = [...new Set(fonts.map(({ familyName }) => familyName))].map((name) => `${name}: ${fonts.filter(({ familyName }) => familyName === name).reduce((sum, { glyphCount }) => sum + glyphCount, 0)}`).join(", ");
  // A text may be drawn more often than it is read out, never less.
  assert.ok(served(CHINESE) >= han * 0.95, `${view}: ${han} Chinese characters, served by ${names}`);
  if (emoji > 0) assert.ok(served(EMOJI) > 0, `${view}: ${emoji} emoji, served by ${names}`);
  return { han, emoji };
}

const TEXT = 3;

/** The fonts that draw a document and for how many glyphs, as the browser knows them. */
async function fontsOf(page, frame) {
  const devtools = await page.context().newCDPSession(page);
  try {
    await devtools.send("DOM.enable");
    await devtools.send("CSS.enable");
    const { root } = await devtools.send("DOM.getDocument", { depth: -1, pierce: true });
    const url = frame.url();
    // An element's fonts are those of its own words.
    const elements = [];
    const visit = (node, here) => {
      const within = node.nodeName === "#document" ? node.documentURL === url : here;
      if (within && node.children?.some((child) => child.nodeType === TEXT)) elements.push(node.nodeId);
      for (const child of [...(node.children ?? []), ...(node.contentDocument ? [node.contentDocument] : [])]) visit(child, within);
    };
    visit(root, false);
    const all = await Promise.all(elements.map((nodeId) => devtools.send("CSS.getPlatformFontsForNode", { nodeId }).then(({ fonts }) => fonts, () => [])));
    return all.flat();
  } finally {
    await devtools.detach();
  }
}
