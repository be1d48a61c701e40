// A visitor and an agent talk: the first thing anybody does with the product.
import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { Agent } from "../support/agent.mjs";
import { Person, drag, end, hold, launch } from "../support/browser.mjs";
import { Server } from "../support/server.mjs";
import { Visitor } from "../support/visitor.mjs";
import { picture } from "../support/picture.mjs";

describe("a visitor and an agent", () => {
  let server, browser, ann, lin, visitor, agent;

  before(async () => {
    server = await Server.start();
    browser = await launch();
    [ann, lin] = await Promise.all([Person.arrive(browser), Person.arrive(browser, { permissions: ["clipboard-read", "clipboard-write"] })]);
    agent = await Agent.enter(await lin.page(), server.url);
    visitor = await Visitor.atShop(await ann.page(), server.url);
  });

  after(async () => {
    await end(ann, lin, browser, server);
  });

  it("reach each other from the demo page", async () => {
    await visitor.say("Is the gaiwan dishwasher safe?");
    await agent.open("gaiwan");
    await agent.message("dishwasher safe").waitFor();
    await agent.say("Yes, the glaze takes it.");
    await visitor.message("the glaze takes it").waitFor();
    assert.equal(await visitor.chat.locator(".typing").count(), 0, "who has written, types no more");
  });

  it("see a message within a second", async () => {
    await visitor.input.fill("How fast is this?");
    const from = performance.now();
    await visitor.input.press("Enter");
    await agent.message("How fast is this?").waitFor();
    const took = performance.now() - from;
    assert.ok(took < 1_000, `${Math.round(took)} ms`);
  });

  it("see who is typing, and what was delivered and read", async () => {
    await visitor.input.pressSequentially("I was thin");
    // The demo shows agents what is being written.
    await agent.page.getByTestId("typing").filter({ hasText: "I was thin" }).waitFor();
    await agent.input.pressSequentially("One mom");
    await visitor.chat.locator(".typing").waitFor();
    await agent.input.fill("");
    await visitor.say("I was thinking about it.");
    // Lin looks at it.
    await visitor.marked("I was thinking about it.", "read").waitFor();
    await visitor.launcher().click();
    await agent.say("Take your time.");
    await agent.marked("Take your time.", "delivered").waitFor();
    // Ann's window was closed: the launcher says that something is there.
    assert.equal(await visitor.launcher().locator("span").textContent(), "1");
    await visitor.launcher().click();
    await agent.marked("Take your time.", "read").waitFor();
  });

  it("send each other pictures", async () => {
    const image = await picture(visitor.page, 320, 200, "#2f6b55");
    await visitor.chat.locator('.composer input[type="file"]').setInputFiles({ name: "cup.png", mimeType: "image/png", buffer: image });
    const seen = agent.page.locator('[data-testid="message"] .picture img');
    await seen.waitFor();
    assert.ok(await seen.evaluate((img) => img.decode().then(() => img.naturalWidth > 0)), "the picture is drawn");

    await paste(agent.input, await picture(agent.page, 200, 300, "#8a4b2a"));
    await agent.page.locator('[data-testid="attachment"][data-state="stored"]').waitFor();
    await agent.input.press("Enter");
    const theirs = visitor.chat.locator(".message-other .picture img");
    await theirs.waitFor();
    assert.ok(await theirs.evaluate((img) => img.decode().then(() => img.naturalWidth > 0)), "the picture is drawn");
  });

  it("see the same after both reload", async () => {
    const before = await agent.texts();
    assert.ok(before.length >= 5, before.join());
    assert.deepEqual(await visitor.texts().then(words), before);
    await Promise.all([visitor.page.reload(), agent.page.reload()]);
    await visitor.launcher().click();
    await agent.message("Take your time.").waitFor();
    await visitor.message("Take your time.").waitFor();
    await agent.page.locator('[data-testid="message"] .picture img').nth(1).waitFor();
    await visitor.chat.locator(".picture img").nth(1).waitFor();
    assert.deepEqual(await agent.texts(), before);
    assert.deepEqual(await visitor.texts().then(words), before);
  });

  it("drop pictures anywhere on the conversation", async () => {
    const folder = mkdtempSync(join(tmpdir(), "frontdesk-drop-"));
    try {
      const files = { visitor: join(folder, "bowl.png"), agent: join(folder, "tray.png") };
      writeFileSync(files.visitor, await picture(visitor.page, 120, 90, "#345995"));
      writeFileSync(files.agent, await picture(agent.page, 90, 120, "#775511"));
      const theirs = agent.page.locator('[data-testid="message"][data-side="visitor"] .picture img[alt="bowl.png"]');
      const over = await drag(visitor.page, visitor.chat.locator(".scroller"), [files.visitor]);
      await visitor.chat.locator(".drop").waitFor();
      await over.drop();
      await theirs.waitFor();
      assert.ok(await theirs.evaluate((img) => img.decode().then(() => img.naturalWidth === 120)), "the picture is drawn");
      await visitor.chat.locator(".drop").waitFor({ state: "detached" });

      // Beside the conversation nothing takes it, and the page stays.
      await (await drag(agent.page, agent.page.getByTestId("conversation-row").first(), [files.agent])).drop();
      const onto = await drag(agent.page, agent.page.getByTestId("timeline"), [files.agent]);
      await agent.page.getByTestId("drop-hint").waitFor();
      await onto.drop();
      await agent.page.getByTestId("drop-hint").waitFor({ state: "detached" });
      await agent.page.locator('[data-testid="attachment"][data-state="stored"]', { hasText: "tray.png" }).waitFor();
      assert.equal(await agent.page.getByTestId("attachment").count(), 1);
      await agent.input.press("Enter");
      const ours = visitor.chat.locator('.message-other .picture img[alt="tray.png"]');
      await ours.waitFor();
      assert.ok(await ours.evaluate((img) => img.decode().then(() => img.naturalHeight === 120)), "the picture is drawn");
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it("paste a picture into the widget", async () => {
    const before = await agent.page.locator('[data-testid="message"][data-side="visitor"] .picture img').count();
    await paste(visitor.input, await picture(visitor.page, 150, 110, "#556677"));
    await visitor.chat.locator(".message-own .picture img").nth(before).waitFor();
    const seen = agent.page.locator('[data-testid="message"][data-side="visitor"] .picture img').nth(before);
    await seen.waitFor();
    assert.ok(await seen.evaluate((img) => img.decode().then(() => img.naturalWidth === 150)), "the picture is drawn");
  });

  it("see every state of one message, one after the other", async () => {
    const seen = (text) => {
      const mark = agent.message(text).getByTestId("delivery");
      return { is: (state) => agent.marked(text, state).waitFor(), words: () => mark.getAttribute("title") };
    };
    // The visitor's window is shut: what arrives is not read.
    await visitor.launcher().click();
    const words = [];
    const fromAgent = seen("It ships on Monday.");
    const visitorsPage = await hold(visitor.page);
    server.hold();
    await agent.say("It ships on Monday.");
    for (const [state, next] of [
      ["sending", () => server.goOn()],
      ["sent", () => visitorsPage.goOn()],
      ["delivered", () => visitor.launcher().click()],
      ["read", () => undefined],
    ]) {
      await fromAgent.is(state);
      words.push(await fromAgent.words());
      await next();
    }
    assert.deepEqual(words, ["Sending", "Sent", "Delivered", "Read"]);

    // The agent looks further up: what arrives below is not read.
    for (let long = 1; long <= 4; long++) await agent.say(`${long} of four${"\nand a line".repeat(14)}`);
    await visitor.message("4 of four").waitFor();
    await agent.marked("4 of four", "read").waitFor();
    await agent.page.getByTestId("timeline").evaluate((timeline) => (timeline.scrollTop = 0));
    await agent.page.getByTestId("jump-to-latest").waitFor();
    const agentsPage = await hold(agent.page);
    server.hold();
    await visitor.say("Then I wait for it.");
    for (const [state, next] of [
      ["sending", () => server.goOn()],
      ["sent", () => agentsPage.goOn()],
      ["delivered", () => agent.page.getByTestId("jump-to-latest").click()],
      ["read", () => undefined],
    ]) {
      await visitor.marked("Then I wait for it.", state).waitFor();
      await next();
    }
  });
});

/** Pictures have no words. */
function words(texts) {
  return texts.filter((text) => text !== "");
}

/** As from a screenshot tool: the clipboard holds a picture and no text. */
async function paste(input, png) {
  await input.evaluate(async (element, bytes) => {
    const data = new DataTransfer();
    data.items.add(new File([new Uint8Array(bytes)], "image.png", { type: "image/png" }));
    element.dispatchEvent(new ClipboardEvent("paste", { clipboardData: data, bubbles: true, cancelable: true }));
  }, [...png]);
}
