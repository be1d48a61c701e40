// The pictures that are kept: few, small, and written anew only where one shows something else than
// before. A clock that went on, or a visitor of another number, is no reason.
import { Buffer } from "node:buffer";
import { existsSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** Together, so that nobody waits for them who clones the repository. */
const BYTES_MAX = 3_000_000;
/** The part of a picture that must look different. */
const CHANGED_MIN = 0.015;

/** Each view once in each language, the main ones in more looks. */
const KEPT = [
  "conversation.en.light.1440",
  "conversation.zh-CN.dark.1440",
  "conversation.zh-CN.light.390",
  "list-mine.en.dark.390",
  "transfer.en.light.1440",
  "palette.zh-CN.light.1440",
  "offline.en.dark.1440",
  "waiting.en.light.1440",
  "settings-inboxes.en.light.1440",
  "settings-people.zh-CN.light.1440",
  "set-up.en.light.1440",
  "sign-in.zh-CN.dark.390",
  "shop.en.light.1440",
  "shop.zh-CN.dark.390",
  "widget-greeting.en.light.1440",
  "widget-chat.zh-CN.light.390",
  "widget-closed.en.dark.390",
  "page-chat.zh-CN.light.1440",
];

/** Brings `to` up to date with the pictures in `from`; says what it did. */
export async function keep(browser, from, to) {
  mkdirSync(to, { recursive: true });
  const names = KEPT.map((name) => `${name}.webp`);
  const missing = names.filter((name) => !existsSync(join(from, name)));
  if (missing.length > 0) throw new Error(`pictures to keep were not taken: ${missing.join(", ")}`);
  for (const name of readdirSync(to)) if (name.endsWith(".webp") && !names.includes(name)) rmSync(join(to, name));
  const written = [];
  for (const name of names) if (await replace(browser, join(to, name), readFileSync(join(from, name)))) written.push(name);
  const bytes = names.reduce((sum, name) => sum + readFileSync(join(to, name)).length, 0);
  if (bytes > BYTES_MAX) throw new Error(`the pictures in ${to} take ${bytes} bytes, more than ${BYTES_MAX}`);
  return { written, bytes };
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
