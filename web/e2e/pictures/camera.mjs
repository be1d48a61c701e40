// Takes the pictures: waits until a view stands still, then keeps it as WebP, in both themes and at
// every width. Names say what is on them: `view.locale.theme.width.webp`.
import { writeFileSync } from "node:fs";
import { join } from "node:path";

export const SIZES = { 1440: [1440, 900], 1024: [1024, 768], 390: [390, 844] };
export const WIDTHS = [1440, 1024, 390];
export const THEMES = ["light", "dark"];
const QUALITY = 82;

/** Put into every page: no caret, since it blinks. Rules a script adopts are no matter of a page's policy. */
export function withoutCaret() {
  const sheet = new CSSStyleSheet();
  sheet.replaceSync("* { caret-color: transparent !important }");
  document.adoptedStyleSheets = [...document.adoptedStyleSheets, sheet];
}

export class Camera {
  constructor(folder, locale) {
    this.folder = folder;
    this.locale = locale;
    this.taken = 0;
    this.views = new Set();
    this.missed = [];
    this.sessions = new WeakMap();
  }

  /** One view; what goes wrong with it is told at the end and costs only this view. */
  async view(name, take) {
    try {
      await take(name);
    } catch (failure) {
      this.missed.push(`${name}.${this.locale}: ${failure.stack ?? failure}`);
    }
  }

  /** A view that is already on the screen, at all `widths` and in both themes. `before` is called ahead of each picture. */
  async looks(page, name, { widths = WIDTHS, themes = THEMES, before = async () => undefined, still = true } = {}) {
    for (const width of widths) {
      const [w, h] = SIZES[width];
      await page.setViewportSize({ width: w, height: h });
      for (const theme of themes) {
        await page.emulateMedia({ colorScheme: theme, reducedMotion: "reduce" });
        await before(width, theme);
        await this.shot(page, `${name}.${this.locale}.${theme}.${width}`, still);
      }
    }
    await page.setViewportSize({ width: 1440, height: 900 });
    await page.emulateMedia({ colorScheme: "light", reducedMotion: "reduce" });
  }

  async shot(page, name, still = true) {
    if (still) await settle(page);
    writeFileSync(join(this.folder, `${name}.webp`), await this.bytes(page));
    this.taken += 1;
    this.views.add(name.split(".")[0]);
  }

  /** What is on the page's screen, as WebP. */
  async bytes(page, { quality = QUALITY } = {}) {
    if (!this.sessions.has(page)) this.sessions.set(page, await page.context().newCDPSession(page));
    const { data } = await this.sessions.get(page).send("Page.captureScreenshot", { format: "webp", quality });
    return Uint8Array.from(atob(data), (character) => character.codePointAt(0));
  }
}

/** Words, pictures and what was asked for are there, and it has been drawn. */
export async function settle(page) {
  for (const frame of page.frames()) {
    await frame.waitForFunction(() => [...document.querySelectorAll(".skeleton")].every((one) => one.offsetParent === null));
    await frame.waitForFunction(() => [...document.querySelectorAll("button.picture")].every((place) => place.querySelector("img")));
    await frame.evaluate(async () => {
      await document.fonts.ready;
      await Promise.all([...document.images].map((image) => image.decode().catch(() => undefined)));
    });
  }
  await page.evaluate(() => new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve))));
}
