// The pictures that are kept: few, small, and written anew only where one shows something else than
// before. A clock that went on, or a visitor of another number, is no reason.
import { Buffer } from "node:buffer";
import { existsSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** Together, so that nobody waits for them who clones the repository. */
const BYTES_MAX = 3_000_000;
/** The part of a picture that must look different. */
const CHANGED_MIN = 0.006;

/** Each view once in each language, the main ones in more looks; with what a reader is told of them. */
const KEPT = {
  "conversation.en.light.1440": "The inbox: list, conversation, visitor",
  "conversation-long.zh-CN.dark.1440": "A conversation of 10,000 messages, in Chinese and dark",
  "composer-mention.en.light.1440": "A note for the team calls upon a colleague",
  "transfer.en.light.1440": "Handing a conversation over, with a note",
  "palette.zh-CN.light.1440": "The command palette",
  "offline.en.dark.1440": "Without a connection: what waits is counted",
  "waiting.en.light.1440": "Nobody waits: every conversation with its deadline",
  "list-all.zh-CN.light.1440": "A supervisor's list",
  "settings-inbox-look.en.light.1440": "How the widget looks, with a live preview",
  "settings-inbox-texts.zh-CN.dark.1440": "What visitors read, for each language",
  "settings-people.zh-CN.light.1440": "People",
  "settings-role.en.light.1440": "What a role may do",
  "set-up-test-arrived.en.light.1440": "The first start: a message to oneself",
  "shop.en.light.1440": "The demo's shop",
  "widget-greeting.en.light.1440": "The widget before the first word",
  "page-chat.zh-CN.light.1440": "The chat as a page of its own",
  "list-mine.en.dark.390": "The list on a phone",
  "conversation.zh-CN.light.390": "A conversation on a phone",
  "widget-chat.zh-CN.light.390": "A chat on a phone",
  "widget-contact.en.dark.390": "Nobody is there: asked once how to answer",
  "widget-closed.en.light.390": "A chat that was closed asks how it was",
  "sign-in.zh-CN.dark.390": "The demo's door",
};

/** Brings `to` up to date with the pictures in `from`; says what it did. */
export async function keep(browser, from, to) {
  mkdirSync(to, { recursive: true });
  const names = Object.keys(KEPT).map((name) => `${name}.webp`);
  const missing = names.filter((name) => !existsSync(join(from, name)));
  if (missing.length > 0) throw new Error(`pictures to keep were not taken: ${missing.join(", ")}`);
  for (const name of readdirSync(to)) if (name.endsWith(".webp") && !names.includes(name)) rmSync(join(to, name));
  const written = [];
  for (const name of names) if (await replace(browser, join(to, name), readFileSync(join(from, name)))) written.push(name);
  writeFileSync(join(to, "README.md"), gallery());
  const bytes = names.reduce((sum, name) => sum + readFileSync(join(to, name)).length, 0);
  if (bytes > BYTES_MAX) throw new Error(`the pictures in ${to} take ${bytes} bytes, more than ${BYTES_MAX}`);
  return { written, bytes };
}

/** A page that shows them all: two wide ones in a row, or three of a phone. */
function gallery() {
  const tables = [
    [".1440", 2, 420],
    [".390", 3, 260],
  ].map(([width, columns, pixels]) => {
    const cells = Object.entries(KEPT)
      .filter(([name]) => name.endsWith(width))
      .map(([name, caption]) => `<td valign="top"><img src="${name}.webp" width="${pixels}" alt="${caption}"><br>${caption}</td>`);
    const rows = [];
    for (let at = 0; at < cells.length; at += columns) rows.push(`<tr>\n${cells.slice(at, at + columns).join("\n")}\n</tr>`);
    return `<table>\n${rows.join("\n")}\n</table>\n`;
  });
  return `# Pictures\n\nSome of the pictures of every view that \`make screenshots\` takes; it writes this page too.\n\n${tables.join("\n")}`;
}

/** Writes `picture` to `file` unless what is there shows the same. */
export async function replace(browser, file, picture) {
  if (existsSync(file) && (await changed(browser, readFileSync(file), picture)) < CHANGED_MIN) return false;
  writeFileSync(file, picture);
  return true;
}

/** The part of two pictures that looks different, from 0 to 1. */
async function changed(browser, before, after) {
  const page = await browser.newPage();
  try {
    return await page.evaluate(
      async (sources) => {
        const [one, other] = await Promise.all(
          sources.map(async (source) => {
            const image = new Image();
            image.src = source;
            await image.decode();
            const canvas = document.createElement("canvas");
            [canvas.width, canvas.height] = [image.naturalWidth, image.naturalHeight];
            const draw = canvas.getContext("2d");
            draw.drawImage(image, 0, 0);
            return draw.getImageData(0, 0, canvas.width, canvas.height);
          }),
        );
        if (one.width !== other.width || one.height !== other.height) return 1;
        let count = 0;
        for (let at = 0; at < one.data.length; at += 4) {
          const far = [0, 1, 2].some((channel) => Math.abs(one.data[at + channel] - other.data[at + channel]) > 32);
          if (far) count += 1;
        }
        return count / (one.width * one.height);
      },
      [before, after].map((bytes) => `data:image/webp;base64,${Buffer.from(bytes).toString("base64")}`),
    );
  } finally {
    await page.close();
  }
}
