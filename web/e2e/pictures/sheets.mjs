// Sheets to look at many pictures at once, two for each view: as wide as a reader's screen, so that
// words can be read.
import { existsSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** Which pictures stand on a view's sheets, and how wide. */
const SHEETS = [
  [
    ["en.light.1440", 780],
    ["zh-CN.dark.1440", 780],
    ["en.light.390", 384],
    ["en.dark.390", 384],
    ["zh-CN.light.390", 384],
    ["zh-CN.dark.390", 384],
  ],
  [
    ["en.dark.1440", 780],
    ["zh-CN.light.1440", 780],
    ["en.dark.1024", 780],
    ["zh-CN.light.1024", 780],
  ],
];

export async function sheets(browser, folder, since) {
  const out = join(folder, "sheets");
  mkdirSync(out, { recursive: true });
  const files = readdirSync(folder).filter((name) => name.endsWith(".webp"));
  const views = new Set(files.map((name) => name.split(".")[0]).filter((view) => since.has(view)));
  const page = await browser.newPage({ viewport: { width: 1568, height: 400 } });
  for (const view of views) {
    for (const [at, cells] of SHEETS.entries()) {
      const known = cells.map(([look, width]) => [join(folder, `${view}.${look}.webp`), width]).filter(([file]) => existsSync(file));
      if (known.length === 0) continue;
      await page.setContent(`<style>body{margin:0;background:#777;display:flex;flex-wrap:wrap;gap:8px}img{display:block;align-self:start}</style>${known.map(image).join("")}`);
      await page.evaluate(() => Promise.all([...document.images].map((one) => one.decode())));
      writeFileSync(join(out, `${view}.${at + 1}.png`), await page.screenshot({ fullPage: true }));
    }
  }
  await page.close();
}

function image([file, width]) {
  return `<img width="${width}" src="data:image/webp;base64,${readFileSync(file).toString("base64")}">`;
}
