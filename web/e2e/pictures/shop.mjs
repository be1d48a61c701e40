// What a visitor sees: the shop, the widget in each of its states, the chat as a page of its own.
import { Buffer } from "node:buffer";
import { Agent } from "../support/agent.mjs";
import { Visitor } from "../support/visitor.mjs";
import { gift } from "./gift.mjs";
import { lived, rate, stage, withoutBot } from "./stage.mjs";
import { WORDS } from "./words.mjs";

const OUTER = { widths: [1440, 390] };

export async function shop(browser, camera) {
  const { locale } = camera;
  const words = WORDS[locale];
  await stage(browser, camera, {}, async ({ server, arrive }) => {
    const page = await (await arrive()).page();
    await camera.view("shop", async (name) => {
      await page.goto(new URL("demo", server.url).href);
      await page.locator("#frontdesk-launcher button").waitFor();
      await camera.looks(page, name);
      for (const part of [2, 1]) {
        await page.evaluate((one) => window.scrollTo({ top: document.body.scrollHeight / one, behavior: "instant" }), part);
        await camera.looks(page, part === 1 ? "shop-foot" : "shop-middle", {
          ...OUTER,
          before: () => page.evaluate((one) => window.scrollTo({ top: document.body.scrollHeight / one, behavior: "instant" }), part),
        });
      }
    });
    await camera.view("widget-away", async (name) => {
      const visitor = await Visitor.atShop(page, server.url);
      await camera.looks(page, name, OUTER);
      await visitor.say(words.question);
      await visitor.message(words.question).waitFor();
      await visitor.allSent();
      await visitor.chat.locator("form.contact").waitFor();
      await camera.looks(page, "widget-contact");
    });
  });
  await stage(browser, camera, { life: true }, async ({ server, arrive }) => {
    const api = await lived(server);
    await withoutBot(api);
    const inboxKey = await server.inboxKey();
    const agent = await Agent.enter(await (await arrive()).page(), server.url, "agent");
    await agent.page.getByTestId("notify-later").click();
    const guest = await Visitor.atShop(await (await arrive()).page(), server.url);
    await camera.view("widget-greeting", (name) => camera.looks(guest.page, name));
    await camera.view("widget-emoji", async (name) => {
      await guest.chat.locator(".composer-emoji").click();
      await guest.chat.locator(".emoji button").first().waitFor();
      await camera.looks(guest.page, name, OUTER);
      await guest.chat.locator(".composer-emoji").click();
    });
    await guest.say(words.opening);
    await agent.open(words.opening.slice(0, 12));
    await agent.say(words.answers[0]);
    await guest.message(words.answers[0]).waitFor();
    await camera.view("widget-file", async (name) => {
      const network = await guest.page.context().newCDPSession(guest.page);
      await network.send("Network.enable");
      await network.send("Network.emulateNetworkConditions", { offline: false, latency: 0, downloadThroughput: -1, uploadThroughput: 24_000 });
      await guest.chat.locator('input[type="file"]').setInputFiles({ name: "order-2026-1107.pdf", mimeType: "application/pdf", buffer: Buffer.alloc(900_000, "%PDF-1.7\n") });
      await guest.chat.locator(".uploads li, .upload-name").first().waitFor();
      await camera.looks(guest.page, name, OUTER);
      await network.send("Network.emulateNetworkConditions", { offline: false, latency: 0, downloadThroughput: -1, uploadThroughput: -1 });
    });
    await guest.page.reload();
    await guest.launcher().waitFor();
    await camera.view("launcher-unread", async (name) => {
      await agent.say(words.answers[1]);
      await agent.marked(words.answers[1], "sent").or(agent.marked(words.answers[1], "delivered")).first().waitFor();
      await camera.looks(guest.page, name, OUTER);
    });
    if (!(await guest.input.isVisible())) await guest.launcher().click();
    await guest.message(words.answers[1]).waitFor();
    await agent.page.getByTestId("composer-file").setInputFiles(await gift(browser));
    await agent.page.locator('[data-testid="attachment"][data-state="stored"]').waitFor();
    await agent.input.press("Enter");
    await guest.chat.locator(".message-other .picture img").waitFor();
    await camera.view("widget-quote", async (name) => {
      await guest.message(words.answers[0]).hover();
      await guest.message(words.answers[0]).locator(".reply").click();
      await guest.chat.locator(".quoting").waitFor();
      await guest.input.fill(words.thanks);
      await camera.looks(guest.page, name, OUTER);
    });
    await guest.input.press("Enter");
    await agent.message(words.thanks).waitFor();
    await camera.view("widget-typing", async (name) => {
      await agent.input.fill(words.last);
      await guest.chat.locator(".typing").waitFor();
      await camera.looks(guest.page, name, { ...OUTER, before: () => agent.page.keyboard.press("End") });
      await agent.input.fill("");
    });
    await agent.say(words.last);
    await guest.message(words.last).waitFor();
    await camera.view("widget-chat", (name) => camera.looks(guest.page, name));
    await camera.view("widget-menu", async (name) => {
      await guest.chat.locator("header button").first().click();
      await camera.looks(guest.page, name, OUTER);
      await guest.page.keyboard.press("Escape");
      // A ring around the button would be in the pictures that follow.
      await guest.chat.locator("header button").first().evaluate((button) => button.blur());
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
      // Behind another page of the same window it would have the window's size, not its own.
      await alone.page.bringToFront();
      await rate(alone, 4, words.praise);
      await camera.looks(alone.page, name);
    });

    // Somebody is there and has no time: who comes now waits.
    await camera.view("widget-queue", async (name) => {
      const { users } = await api("GET", "users");
      await api("PATCH", `users/${users.find((user) => user.email.startsWith("lin@")).id}`, { capacity: 0 });
      const waiting = await Visitor.atShop(await (await arrive()).page(), server.url);
      await waiting.say(words.opening);
      await waiting.message(words.opening.slice(0, 12)).waitFor();
      await waiting.allSent();
      await waiting.chat.locator(".queue-place").waitFor();
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
