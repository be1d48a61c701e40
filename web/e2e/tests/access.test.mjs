// axe on every main view, in light and in dark, in both languages; and that switching language
// reloads nothing.
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { Agent } from "../support/agent.mjs";
import { checkAccess, withAxe } from "../support/axe.mjs";
import { Person, end, launch } from "../support/browser.mjs";
import { Crowd } from "../support/crowd.mjs";
import { Server } from "../support/server.mjs";
import { Visitor } from "../support/visitor.mjs";

const SETTINGS = ["profile", "people", "rights", "teams", "inboxes", "replies", "keys", "limits"];

describe("everybody", () => {
  let server, browser, people, crowd, agent;

  before(async () => {
    server = await Server.start();
    browser = await launch();
    people = [await Person.arrive(browser)];
    crowd = await Crowd.gather(people[0], server.url, await server.inboxKey());
  });

  after(() => end(people, browser, server));

  for (const [colorScheme, locale, greeting, inbox] of [
    ["light", "en", "Write a message", "Inbox"],
    ["dark", "zh-CN", "输入消息", "收件箱"],
  ]) {
    it(`can use the console, ${colorScheme}, ${locale}`, async () => {
      const lin = await withAxe(await Person.arrive(browser, { colorScheme, locale }));
      people.push(lin);
      const page = await lin.page();
      await page.goto(server.url);
      await page.getByTestId("sign-in-email").waitFor();
      await checkAccess(page, "sign-in");
      agent = await Agent.enter(page, server.url, "owner");
      await page.getByRole("heading", { name: inbox }).waitFor();
      await crowd.join(`hello from ${locale}`, { language: locale });
      await agent.open(`hello from ${locale}`);
      await agent.say("hello https://example.com/help");
      await agent.message("hello https").waitFor();
      await page.getByTestId("mode-note").click();
      await agent.say("a note");
      await agent.message("a note").waitFor();
      await checkAccess(page, "conversation");
      await page.getByTestId("transfer-button").click();
      await page.getByTestId("transfer-dialog").waitFor();
      await checkAccess(page, "transfer");
      await page.keyboard.press("Escape");
      await page.getByTestId("transfer-dialog").waitFor({ state: "detached" });
      await agent.rail().click();
      await page.getByTestId("presence-away").waitFor();
      await checkAccess(page, "own menu");
      await page.keyboard.press("Escape");
      await page.getByTestId("timeline").focus();
      await page.keyboard.press("?");
      await page.getByTestId("shortcut-help").waitFor();
      await checkAccess(page, "shortcuts");
      await page.keyboard.press("Escape");
      await page.keyboard.press("Control+k");
      await page.getByTestId("palette").waitFor();
      await checkAccess(page, "palette");
      await page.keyboard.press("Escape");
      for (const view of ["queue", "closed"]) {
        await agent.view(view);
        await checkAccess(page, view);
      }
      await page.getByTestId("nav-waiting").click();
      await page.locator('[data-testid="nav-waiting"][aria-current="page"]').waitFor();
      await checkAccess(page, "waiting");
      for (const section of SETTINGS) {
        await page.goto(`${server.url}#/settings/${section}`);
        await page.locator("main h1, main h2").first().waitFor();
        await page.locator(".skeleton, [aria-busy=true]").first().waitFor({ state: "detached" });
        await checkAccess(page, `settings ${section}`);
      }
    });

    it(`can use the widget and the page of its own, ${colorScheme}, ${locale}`, async () => {
      const ann = await withAxe(await Person.arrive(browser, { colorScheme, locale }));
      people.push(ann);
      const visitor = await Visitor.atShop(await ann.page(), server.url);
      assert.ok((await visitor.input.getAttribute("placeholder")).startsWith(greeting.slice(0, 2)));
      await checkAccess(visitor.page, "shop");
      const frame = visitor.page.frames().find((one) => one.url().includes("/widget/"));
      await checkAccess(frame, "widget, first view");
      await visitor.say("https://example.com and some words");
      await visitor.chat.locator(".mark-sent, .mark-delivered, .mark-read").first().waitFor();
      await checkAccess(frame, "widget, conversation");
      const alone = await Visitor.alone(await ann.page(), server.url, await server.inboxKey());
      await alone.message("some words").waitFor();
      await checkAccess(alone.page, "page of its own");
    });
  }

  it("can switch the language without a reload", async () => {
    const { page } = agent;
    await page.goto(`${server.url}#/inbox/all`);
    await page.evaluate(() => (window.neverReloaded = true));
    for (const [locale, inbox] of [
      ["en", "Inbox"],
      ["zh-CN", "收件箱"],
    ]) {
      await agent.rail().click();
      await page.getByTestId(`language-${locale}`).click();
      await page.getByRole("heading", { name: inbox }).waitFor();
      assert.equal(await page.evaluate(() => document.documentElement.lang), locale);
    }
    const visitor = await Visitor.atShop(await people[0].page(), server.url);
    await visitor.page.getByRole("button", { name: "简体中文" }).click();
    await visitor.chat.locator('textarea[placeholder*="消息"]').waitFor();
    await visitor.page.getByRole("button", { name: "English" }).click();
    await visitor.chat.locator('textarea[placeholder="Write a message"]').waitFor();
    assert.ok(await page.evaluate(() => window.neverReloaded));
  });
});
