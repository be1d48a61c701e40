// What a visitor sees: the shop, the widget in each of its states, the chat as a page of its own.
import { Buffer } from "node:buffer";
import { Agent } from "../support/agent.mjs";
import { picture } from "../support/picture.mjs";
import { Visitor } from "../support/visitor.mjs";
import { rate, stage } from "./stage.mjs";
import { WORDS } from "./words.mjs";

const OUTER = { widths: [1440, 390] };

export async function shop(browser, camera) {
  const { locale } = camera;
  const words = WORDS[locale];
  await stage(browser, camera, {}, async ({ server, arrive }) => {
    const page = await (await arrive()).page();
    const inboxKey = await server.inboxKey();
    await camera.view("shop", async (name) => {
      await page.goto(new URL("demo", server.url).href);
      await page.locator("#frontdesk-launcher button").waitFor();
      await camera.looks(page, name);
      await page.evaluate(() => window.scrollTo(0, document.body.scrollHeight));
      await camera.looks(page, "shop-foot", OUTER);
    });
    const visitor = await Visitor.atShop(page, server.url);
    // Nobody is there yet.
    await camera.view("widget-away", async (name) => {
      await camera.looks(page, name, OUTER);
      await visitor.say(words.question);
      await visitor.message(words.question).waitFor();
      await visitor.allSent();
      await camera.looks(page, "widget-away-asked", OUTER);
    });

    const agent = await Agent.enter(await (await arrive()).page(), server.url, "agent");
    const guest = await Visitor.atShop(await (await arrive()).page(), server.url);
    await camera.view("widget-greeting", (name) => camera.looks(guest.page, name));
    await guest.say(words.opening);
    await agent.open(words.opening.slice(0, 12));
    await agent.say(words.answers[0]);
    await guest.message(words.answers[0]).waitFor();
    await camera.view("widget-file", async (name) => {
      const network = await guest.page.context().newCDPSession(guest.page);
      await network.send("Network.enable");
      await network.send("Network.emulateNetworkConditions", { offline: false, latency: 0, downloadThroughput: -1, uploadThroughput: 24_000 });
      await guest.chat.locator('input[type="file"]').setInputFiles({ name: "order-2026-1107.pdf", mimeType: "application/pdf", buffer: Buffer.alloc(900_000, "%PDF-1.7\n") });
      await guest.chat.locator(".upload, .upload-row, progress, [role=progressbar]").first().waitFor();
      await camera.looks(guest.page, name, OUTER);
      await network.send("Network.emulateNetworkConditions", { offline: false, latency: 0, downloadThroughput: -1, uploadThroughput: -1 });
    });
    await guest.page.reload();
    await guest.launcher().waitFor();
    if (!(await guest.input.isVisible())) await guest.launcher().click();
    await guest.message(words.answers[0]).waitFor();
    await agent.page.getByTestId("composer-file").setInputFiles({ name: "box.png", mimeType: "image/png", buffer: await picture(agent.page, 640, 420, "#8fa89a") });
    await agent.page.locator('[data-testid="attachment"][data-state="stored"]').waitFor();
    await agent.input.press("Enter");
    await guest.chat.locator(".message-other .picture img").waitFor();
    await guest.say(words.thanks);
    await agent.message(words.thanks).waitFor();
    await camera.view("widget-typing", async (name) => {
      await agent.input.fill(words.last);
      await guest.chat.locator(".typing").waitFor();
      await camera.looks(guest.page, name, OUTER);
      await agent.input.fill("");
    });
    await agent.say(words.last);
    await guest.message(words.last).waitFor();
    await camera.view("widget-chat", (name) => camera.looks(guest.page, name));
    await camera.view("widget-menu", async (name) => {
      await guest.chat.locator("header button").first().click();
      await camera.looks(guest.page, name, OUTER);
      await guest.page.keyboard.press("Escape");
    });
    const alone = await Visitor.alone(await guest.page.context().newPage(), server.url, inboxKey);
    await alone.message(words.last).waitFor();
    await camera.view("page-chat", (name) => camera.looks(alone.page, name));
    await camera.view("widget-closed", async (name) => {
      await agent.page.getByTestId("close-button").click();
      await guest.chat.locator(".rating").waitFor();
      await camera.looks(guest.page, name);
    });
    await camera.view("page-rated", async (name) => {
      await rate(alone, 4, words.praise);
      await camera.looks(alone.page, name);
    });

    // Everybody has as many as they may have: who comes now waits.
    await camera.view("widget-queue", async (name) => {
      await agent.setPresence("away");
      const waiting = await Visitor.atShop(await (await arrive()).page(), server.url);
      await waiting.say(words.opening);
      await waiting.message(words.opening.slice(0, 12)).waitFor();
      await waiting.allSent();
      await camera.looks(waiting.page, name, OUTER);
    });
    await camera.view("widget-offline", async (name) => {
      await server.kill();
      await guest.chat.locator(".banner").waitFor();
      for (const text of words.unsent) await guest.say(text);
      await camera.looks(guest.page, name);
    });
  });
}
