// Pictures of every view: both languages, light and dark, at three widths, from a demo that looks
// lived in. All of them go into e2e/screenshots, which is not kept, with sheets to look at many at
// once; `--keep` brings what the documents show up to date.
//
//   node e2e/screenshots.mjs [start] [desk] [settings] [shop] [en] [zh-CN] [--keep]
import { mkdirSync, rmSync } from "node:fs";
import { URL, fileURLToPath } from "node:url";
import { Camera } from "./pictures/camera.mjs";
import { desk } from "./pictures/desk.mjs";
import { settings } from "./pictures/settings.mjs";
import { sheets } from "./pictures/sheets.mjs";
import { shop } from "./pictures/shop.mjs";
import { start } from "./pictures/start.mjs";
import { LOCALES } from "./pictures/words.mjs";
import { end, launch } from "./support/browser.mjs";

const OUT = fileURLToPath(new URL("screenshots", import.meta.url));
const ALBUMS = { start, desk, settings, shop };

const asked = process.argv.slice(2);
const chosen = (known) => {
  const some = known.filter((name) => asked.includes(name));
  return some.length > 0 ? some : known;
};

if (asked.length === 0) rmSync(OUT, { recursive: true, force: true });
mkdirSync(OUT, { recursive: true });
const browser = await launch();
const missed = [];
const views = new Set();
let taken = 0;
try {
  for (const locale of chosen(LOCALES)) {
    for (const name of chosen(Object.keys(ALBUMS))) {
      const camera = new Camera(OUT, locale);
      await camera.view(name, () => ALBUMS[name](browser, camera));
      taken += camera.taken;
      for (const view of camera.views) views.add(view);
      missed.push(...camera.missed);
    }
  }
  await sheets(browser, OUT, views);
} finally {
  await end(browser);
}
console.log(`${taken} pictures in ${OUT}`);
for (const text of missed) console.error(`missed ${text}`);
if (missed.length > 0) process.exitCode = 1;
