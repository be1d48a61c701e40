// axe-core over a page or a frame, with what counts as a failure.
import assert from "node:assert/strict";
import { createRequire } from "node:module";

const AXE = createRequire(import.meta.url).resolve("axe-core/axe.min.js");

/** Before any page is opened: content policies let nobody in afterwards. */
export async function withAxe(person) {
  await person.context.addInitScript({ path: AXE });
  return person;
}

/** Fails on what axe calls serious or critical; the view is named. */
export async function checkAccess(frame, view) {
  // Colours in the middle of a transition are nobody's colours.
  await frame.evaluate(() => Promise.all(document.getAnimations().map((animation) => animation.finished.catch(() => undefined))));
  const { violations } = await frame.evaluate(() => window.axe.run(document, { resultTypes: ["violations"] }));
  const grave = violations
    .filter((violation) => violation.impact === "serious" || violation.impact === "critical")
    .flatMap((violation) => violation.nodes.map((node) => `${view}: ${violation.id}: ${node.html.slice(0, 200)} (${node.failureSummary?.split("\n")[1]?.trim()})`));
  assert.deepEqual(grave, []);
}

/** The same in both themes, of which the page shows one now. */
export async function checkThemes(page, view, frame = page.mainFrame()) {
  const shown = () => frame.evaluate(() => window.matchMedia("(prefers-color-scheme: dark)").matches);
  const themes = (await shown()) ? ["dark", "light"] : ["light", "dark"];
  await checkAccess(frame, `${view}, ${themes[0]}`);
  try {
    await page.emulateMedia({ colorScheme: themes[1] });
    await frame.evaluate(() => new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve))));
    await checkAccess(frame, `${view}, ${themes[1]}`);
  } finally {
    await page.emulateMedia({ colorScheme: themes[0] });
  }
}
