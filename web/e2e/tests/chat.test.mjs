// A visitor and an agent talk: the first thing anybody does with the product.
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { Agent } from "../support/agent.mjs";
import { Person, end, launch } from "../support/browser.mjs";
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
