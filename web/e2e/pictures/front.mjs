// The picture on the front page: the shop with its visitor on the left, the console that answers on
// the right, both taken in the same moment and set side by side as two windows of one screen.
import { Buffer } from "node:buffer";
import { join } from "node:path";
import { Agent } from "../support/agent.mjs";
import { settle } from "./camera.mjs";
import { gift } from "./gift.mjs";
import { replace } from "./keep.mjs";
import { lived, stage, withoutBot } from "./stage.mjs";
import { talk } from "./talk.mjs";
import { WORDS } from "./words.mjs";

const LEFT = { width: 620, height: 820, address: "spruce-tea.example" };
const RIGHT = { width: 1180, height: 820, address: "chat.spruce-tea.example" };
const MARGIN = 28;
const BAR = 36;

export async function front(browser, camera, images) {
  const words = WORDS[camera.locale];
  await stage(browser, camera, { life: true }, async ({ server, arrive }) => {
    const api = await lived(server);
    await withoutBot(api);
    const agent = await Agent.enter(await (await arrive()).page(), server.url, "agent");
    await agent.page.getByTestId("notify-later").click();
    const shop = await (await arrive()).page();
    const visitor = await talk(shop, agent, api, server, words, await gift(browser));
    await visitor.input.fill(words.typing);
    await agent.page.getByTestId("typing").filter({ hasText: words.typing.slice(0, 6) }).waitFor();
    await replace(browser, join(images, `two-windows.${camera.locale}.webp`), await sideBySide(browser, camera, shop, agent.page));
    camera.taken += 1;
  });
}

/** Of two pages that show the same conversation. */
async function sideBySide(browser, camera, shop, desk) {
  const windows = [
    [shop, LEFT],
    [desk, RIGHT],
  ];
  for (const [page, { width, height }] of windows) {
    await page.setViewportSize({ width, height });
    await page.emulateMedia({ colorScheme: "light", reducedMotion: "reduce" });
  }
  for (const [page] of windows) await settle(page);
  const views = await Promise.all(windows.map(async ([page]) => camera.bytes(page, { quality: 100 })));
  const screen = await browser.newPage({
    viewport: { width: LEFT.width + RIGHT.width + 3 * MARGIN, height: LEFT.height + BAR + 2 * MARGIN },
  });
  try {
    await screen.setContent(`<style>
      body { margin: 0; display: flex; gap: ${MARGIN}px; padding: ${MARGIN}px; background: linear-gradient(120deg, #cfe0d6, #dfe6f3); font: 13px system-ui, sans-serif }
      figure { margin: 0; border-radius: 10px; overflow: hidden; box-shadow: 0 0 0 1px #0002, 0 12px 32px #1b2b4026 }
      figcaption { height: ${BAR}px; display: flex; align-items: center; gap: 8px; padding: 0 14px; background: #eceef1; color: #4a4f57 }
      i { width: 11px; height: 11px; border-radius: 50%; background: #c3c8d0 }
      span { margin: 0 auto; padding: 4px 40px; border-radius: 6px; background: #fff; transform: translateX(-28px) }
      img { display: block }
    </style>${windows.map(([, frame], at) => `<figure><figcaption><i></i><i></i><i></i><span>${frame.address}</span></figcaption><img width="${frame.width}" height="${frame.height}" src="data:image/webp;base64,${Buffer.from(views[at]).toString("base64")}"></figure>`).join("")}`);
    await settle(screen);
    return await camera.bytes(screen, { quality: 86 });
  } finally {
    await screen.close();
  }
}
