// Without a mouse, and with an input method: Enter while composing belongs to the input method.
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { Agent } from "../support/agent.mjs";
import { Person, compose, end, launch } from "../support/browser.mjs";
import { Crowd } from "../support/crowd.mjs";
import { Server } from "../support/server.mjs";
import { Visitor } from "../support/visitor.mjs";

describe("the keyboard", () => {
  let server, browser, people, agent, visitor;

  before(async () => {
    server = await Server.start();
    browser = await launch();
    people = [await Person.arrive(browser), await Person.arrive(browser)];
  });

  after(() => end(people, browser, server));

  it("signs in, moves through the list, and answers", async () => {
    const crowd = await Crowd.gather(people[1], server.url, await server.inboxKey());
    const page = await people[0].page();
    await page.goto(server.url);
    await page.getByTestId("sign-in-email").waitFor();
    const { email, password } = await server.credentials("agent");
    await tabTo(page, "sign-in-email");
    await page.keyboard.type(email);
    await page.keyboard.press("Tab");
    await page.keyboard.type(password);
    await page.keyboard.press("Enter");
    agent = new Agent(page);
    await agent.rail().waitFor();
    await crowd.join("the first one");
    await agent.row("the first one").waitFor();
    await crowd.join("the second one");
    await agent.row("the second one").waitFor();
    await page.keyboard.press("j");
    await page.getByTestId("timeline").waitFor();
    // Escape leaves the field; pressed before it has the focus, it would leave the conversation.
    const focused = page.locator('[data-testid="composer-input"]:focus');
    await focused.waitFor();
    const first = await page.getByTestId("chat-title").textContent();
    await page.keyboard.press("Escape");
    await page.keyboard.press("j");
    await page.locator('[data-testid="chat-title"]', { hasNotText: first }).waitFor();
    await focused.waitFor();
    await page.keyboard.press("Escape");
    await page.keyboard.press("r");
    await page.keyboard.type("typed without a mouse");
    await page.keyboard.press("Shift+Enter");
    await page.keyboard.type("in two lines");
    await page.keyboard.press("Enter");
    await agent.message("in two lines").waitFor();
    assert.equal((await agent.texts()).at(-1), "typed without a mouse\nin two lines");
    await page.keyboard.press("Escape");
    await page.keyboard.press("?");
    await page.getByTestId("shortcut-help").waitFor();
    await page.keyboard.press("Escape");
    await page.getByTestId("shortcut-help").waitFor({ state: "detached" });
    await page.keyboard.press("Control+k");
    await page.getByTestId("palette").waitFor();
    await page.keyboard.press("Escape");
    await page.getByTestId("palette").waitFor({ state: "detached" });
    await page.keyboard.press("e");
    await page.getByTestId("reopen-button").waitFor();
  });

  it("hands a conversation on, and closes one", async () => {
    const { page } = agent;
    const crowd = await Crowd.gather(people[1], server.url, await server.inboxKey());
    for (const words of ["for a colleague", "for me to close"]) {
      await crowd.join(words);
      await agent.row(words).waitFor();
    }
    await moveTo(page, "for a colleague");
    await page.keyboard.type("I hand you on.");
    await page.keyboard.press("Enter");
    await agent.message("I hand you on.").waitFor();
    await page.keyboard.press("Escape");
    await page.keyboard.press("a");
    await page.locator('[data-testid="transfer-dialog"] input:focus').waitFor();
    await page.keyboard.type("mei");
    await page.getByTestId("transfer-agent").waitFor();
    await tabTo(page, "transfer-agent");
    await page.keyboard.press("Space");
    await tabTo(page, "transfer-note");
    await page.keyboard.type("without a mouse");
    await tabTo(page, "transfer-submit");
    await page.keyboard.press("Enter");
    await page.getByTestId("transfer-dialog").waitFor({ state: "detached" });
    await page.getByTestId("chat-state").filter({ hasText: "With Mei 梅" }).or(page.getByTestId("notice").filter({ hasText: "Mei 梅" })).first().waitFor();

    await moveTo(page, "for me to close");
    await page.keyboard.type("Goodbye.");
    await page.keyboard.press("Enter");
    // At once: the answer is still on its way, and moves the session when it arrives.
    await page.keyboard.press("Escape");
    await page.keyboard.press("e");
    await page.getByTestId("reopen-button").waitFor();
  });

  it("shows where it is", async () => {
    const page = agent.page;
    await page.getByTestId("nav-inbox").focus();
    for (let step = 0; step < 12; step++) {
      await page.keyboard.press("Tab");
      const seen = await page.evaluate(() => {
        const style = getComputedStyle(document.activeElement);
        const around = document.activeElement.closest(".search, .composer-box, .target, .timeline");
        const ring = (of) => of.outlineStyle !== "none" || of.boxShadow !== "none";
        return { what: document.activeElement.outerHTML.slice(0, 120), ring: ring(style) || (around !== null && ring(getComputedStyle(around))) };
      });
      assert.ok(seen.ring, `a ring around ${seen.what}`);
    }
  });

  it("does not send what an input method is composing", async () => {
    visitor = await Visitor.atShop(await people[1].page(), server.url);
    await visitor.say("你们在吗");
    await agent.view("mine");
    await agent.open("你们在吗");
    for (const who of [visitor, agent]) {
      await who.input.focus();
      const method = await compose(who.page, "nihao");
      await method.enter();
      assert.equal(await who.input.inputValue(), "nihao", "still being composed");
      await method.commit("你好");
      await who.page.keyboard.press("Enter");
      await who.message("你好").first().waitFor();
      assert.equal(await who.input.inputValue(), "");
    }
    // A note, where "@" while composing chooses nobody either.
    await agent.page.getByTestId("mode-note").click();
    await agent.input.pressSequentially("@");
    await agent.page.getByTestId("mentions-menu").waitFor();
    const method = await compose(agent.page, "mei");
    await method.enter();
    assert.equal(await agent.input.inputValue(), "@mei", "still being composed");
    await method.commit("梅");
    await agent.page.getByTestId("mentions-menu").getByText("Mei 梅").waitFor();
    await agent.page.keyboard.press("Enter");
    await agent.page.keyboard.press("Enter");
    await agent.page.locator('[data-testid="message"][data-kind="note"]', { hasText: "@Mei 梅" }).waitFor();
    await visitor.message("你好").nth(1).waitFor();
    assert.deepEqual(await visitor.texts(), ["你们在吗", "你好", "你好"]);
  });
});

/** With j and k, from wherever, until the conversation whose row says this is open. */
async function moveTo(page, words) {
  const focused = page.locator('[data-testid="composer-input"]:focus');
  await page.getByTestId("conversation-row").filter({ hasText: words }).waitFor();
  for (let step = 0; step < 12; step++) {
    // Rows change places as things happen: each step is towards where the one sought stands now.
    const { open, sought } = await page.evaluate((text) => {
      const rows = [...document.querySelectorAll('[data-testid="conversation-row"]')];
      return { open: rows.findIndex((row) => window.location.hash.includes(row.dataset.conversation)), sought: rows.findIndex((row) => row.textContent.includes(text)) };
    }, words);
    if (open === sought) {
      await page.getByTestId("message").filter({ hasText: words }).waitFor();
      await focused.waitFor();
      return;
    }
    await page.keyboard.press("Escape");
    const before = page.url();
    await page.keyboard.press(open < sought ? "j" : "k");
    await page.waitForURL((url) => url.href !== before);
    // What was opened takes the focus a moment later: until then the next key would be typed into it.
    await focused.waitFor();
  }
  throw new Error(`no way to ${words}`);
}

async function tabTo(page, testid) {
  const there = page.locator(`[data-testid="${testid}"]:focus`);
  for (let step = 0; step < 20 && (await there.count()) === 0; step++) await page.keyboard.press("Tab");
  await there.waitFor();
}
