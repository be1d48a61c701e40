// Pictures of every view: both languages, light and dark, at three widths, from a demo that looks
// lived in. All of them go into e2e/screenshots, which is not kept, with sheets to look at many at
// once. The few that are kept, and those of the front pages, are written anew where they show
// something else than before.
//
//   node e2e/screenshots.mjs [start] [desk] [settings] [shop] [front] [en] [zh-CN]
//
// Without a name: everything.
import { mkdirSync, rmSync } from "node:fs";
import { URL, fileURLToPath } from "node:url";
import { Camera } from "./pictures/camera.mjs";
import { desk } from "./pictures/desk.mjs";
import { front } from "./pictures/front.mjs";
import { keep } from "./pictures/keep.mjs";
import { settings } from "./pictures/settings.mjs";
import { sheets } from "./pictures/sheets.mjs";
import { shop } from "./pictures/shop.mjs";
import { start } from "./pictures/start.mjs";
import { LOCALES } from "./pictures/words.mjs";
import { end, launch } from "./support/browser.mjs";

const OUT = fileURLToPath(new URL("screenshots", import.meta.url));
const KEPT = fileURLToPath(new URL("../../docs/screenshots", import.meta.url));
const IMAGES = fileURLToPath(new URL("../../docs/images", import.meta.url));
const ALBUMS = { start, desk, settings, shop, front };

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
      await camera.view(name, () => ALBUMS[name](browser, camera, IMAGES));
      taken += camera.taken;
      for (const view of camera.views) views.add(view);
      missed.push(...camera.missed);
    }
  }
  await sheets(browser, OUT, views);
  if (asked.length === 0) {
    const { written, bytes } = await keep(browser, OUT, KEPT);
    console.log(`${written.length} of the kept pictures changed; together they take ${bytes} bytes`);
  }
} finally {
  await end(browser);
}
console.log(`${taken} pictures in ${OUT}`);
for (const text of missed) console.error(`missed ${text}`);
if (missed.length > 0) process.exitCode = 1;
