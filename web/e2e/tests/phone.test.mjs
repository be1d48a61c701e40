// On a phone: one thing on the screen at a time, fingers instead of a mouse, a keyboard that takes half
// of the window, and a back gesture that goes one step back.
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { Agent } from "../support/agent.mjs";
import { checkAccess, withAxe } from "../support/axe.mjs";
import { Person, end, launch } from "../support/browser.mjs";
import { Server } from "../support/server.mjs";
import { Visitor } from "../support/visitor.mjs";

const WIDTH = 390;
const HEIGHT = 844;
/** What a keyboard leaves. */
const ABOVE_KEYBOARD = 430;
const PHONE = { viewport: { width: WIDTH, height: HEIGHT }, hasTouch: true, isMobile: true };
const PAGES = ["inbox/mine", "inbox/queue", "inbox/closed", "waiting", "settings/profile", "settings/people", "settings/teams", "settings/inboxes", "settings/replies", "settings/keys", "settings/limits"];

describe("on a phone", () => {
  let server, browser, people, agent, visitor;

  before(async () => {
    server = await Server.start();
    browser = await launch();
    people = [];
    for (let person = 0; person < 2; person++) people.push(await withAxe(await Person.arrive(browser, PHONE)));
    agent = new Agent(await people[0].page());
    await agent.page.goto(server.url);
    await agent.page.getByTestId("continue-as-owner").tap();
    await agent.page.getByTestId("list-view").waitFor();
  });

  after(() => end(people, browser, server));

  it("a visitor opens the chat over the whole screen, and goes back to the page it was on", async () => {
    const page = await people[1].page();
    await page.goto(new URL("demo", server.url).href);
    visitor = new Visitor(page, page.frameLocator("#frontdesk-frame"));
    await visitor.launcher().tap();
    await visitor.input.waitFor();
    await page.waitForFunction(covers, "#frontdesk-frame");
    // Its keyboard would cover half of what is to be read first: it comes when the text is tapped.
    const hasFocus = await visitor.input.evaluate((input) => new Promise((done) => requestAnimationFrame(() => setTimeout(() => done(input === document.activeElement)))));
    assert.equal(hasFocus, false, "no keyboard is brought up");
    await page.goBack();
    await visitor.launcher().waitFor();
    assert.equal(new URL(page.url()).pathname, "/demo");
    await visitor.launcher().tap();
    await visitor.input.tap();
    await visitor.say("written with two thumbs");
    await visitor.marked("written with two thumbs", "sent").or(visitor.marked("written with two thumbs", "delivered")).first().waitFor();
    await fits(page, "the shop with its chat");
    await checkAccess(page.frames().find((frame) => frame.url().includes("/widget/")), "widget on a phone");
  });

  it("an agent goes from the list to a conversation and back, by the button and by the gesture", async () => {
    const { page } = agent;
    await page.getByTestId("view-all").tap();
    const row = agent.row("written with two thumbs");
    await row.tap();
    await agent.message("written with two thumbs").waitFor();
    assert.equal(await row.isVisible(), false, "one column at a time");
    await fits(page, "conversation");
    await checkAccess(page, "conversation on a phone");
    await page.getByTestId("back-button").tap();
    await row.waitFor();
    assert.equal(await page.getByTestId("timeline").isVisible(), false);
    await row.tap();
    await agent.message("written with two thumbs").waitFor();
    await page.goBack();
    await row.waitFor();
    await checkAccess(page, "list on a phone");
    await row.tap();
    await page.getByTestId("details-button").tap();
    await page.getByTestId("details").waitFor();
    await fits(page, "details");
    await checkAccess(page, "details on a phone");
    await page.getByTestId("details").locator("header").getByRole("button", { name: "Close" }).tap();
    await page.getByTestId("details").waitFor({ state: "hidden" });
  });

  it("both write above the keyboard, and see what was said last", async () => {
    for (const who of [agent, visitor]) {
      await who.input.tap();
      await who.page.setViewportSize({ width: WIDTH, height: ABOVE_KEYBOARD });
      await who.page.waitForFunction((height) => window.innerHeight === height, ABOVE_KEYBOARD);
      for (const seen of [who.input, who.message("written with two thumbs")]) {
        await seen.waitFor();
        const place = () => seen.evaluate((element) => [element.getBoundingClientRect().top, element.getBoundingClientRect().bottom]);
        await who.page.waitForFunction(() => new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(() => resolve(true)))));
        const [top, bottom] = await place();
        assert.ok(top >= 0 && bottom <= ABOVE_KEYBOARD, `${await seen.evaluate((element) => element.className)} stands from ${top} to ${bottom} of ${ABOVE_KEYBOARD}`);
      }
    }
    if (await agent.page.getByTestId("take-button").isVisible()) await agent.page.getByTestId("take-button").tap();
    await agent.say("answered with one thumb");
    await visitor.message("answered with one thumb").waitFor();
    for (const who of [agent, visitor]) await who.page.setViewportSize({ width: WIDTH, height: HEIGHT });
  });

  it("no page is wider than the screen, in either language", async () => {
    const { page } = agent;
    for (const locale of ["zh-CN", "en"]) {
      for (const path of PAGES) {
        await page.goto(`${server.url}#/${path}`);
        await page.locator("h1:visible, h2:visible").first().waitFor();
        await page.locator(".skeleton, [aria-busy=true]").first().waitFor({ state: "detached" });
        await fits(page, `${path}, ${await page.evaluate(() => document.documentElement.lang)}`);
      }
      await page.goto(`${server.url}#/settings/profile`);
      await page.getByTestId("profile-language").selectOption(locale);
      await page.waitForFunction((lang) => document.documentElement.lang === lang, locale);
    }
  });

  it("switches stand in line, also one that can be reset", async () => {
    const { page } = agent;
    await page.goto(`${server.url}#/settings/limits`);
    const setting = page.locator('[data-testid="setting"][data-name="session.rating"]');
    await setting.getByRole("switch").tap();
    await setting.locator(".setting-reset button:enabled").waitFor();
    const places = await page.getByTestId("setting").getByRole("switch").evaluateAll((switches) => switches.map((one) => one.getBoundingClientRect().left));
    assert.ok(places.length > 1);
    assert.equal(new Set(places).size, 1, `from the left: ${places}`);
  });

  it("what a long dialog is there for stays in sight", async () => {
    const { page } = agent;
    await page.goto(`${server.url}#/settings/keys`);
    await page.getByTestId("add-key").tap();
    const dialog = page.getByTestId("key-dialog");
    const body = dialog.locator(".dialog-body");
    await dialog.getByTestId("right-conversation.write").waitFor();
    assert.ok(await body.evaluate((one) => one.scrollHeight > one.clientHeight + 200), "longer than the screen");
    const cancel = dialog.locator(".dialog-foot button").first();
    const place = await cancel.boundingBox();
    assert.ok(place.y + place.height < HEIGHT, "in sight before anybody scrolls");
    await body.evaluate((one) => one.scrollTo(0, one.scrollHeight));
    assert.ok(Math.abs((await cancel.boundingBox()).y - place.y) <= 1, "and in the same place at the end");
    await cancel.tap();
    await dialog.waitFor({ state: "detached" });
  });

  it("the chosen tab of an inbox is in sight after the phone is turned", async () => {
    const { page } = agent;
    await page.setViewportSize({ width: HEIGHT, height: WIDTH });
    await page.goto(`${server.url}#/settings/inboxes`);
    await page.getByTestId("inbox-limits-tab").tap();
    await page.locator('[data-testid="inbox-limits-tab"][aria-current="page"]').waitFor();
    await page.setViewportSize({ width: WIDTH, height: HEIGHT });
    await page.waitForFunction(() => document.querySelector('[data-testid="inbox-limits-tab"]').getBoundingClientRect().right <= window.innerWidth);
  });
});

/** In the page: an element that takes the whole window. */
function covers(selector) {
  const { left, top, width, height } = document.querySelector(selector).getBoundingClientRect();
  return left <= 0 && top <= 0 && width >= window.innerWidth && height >= window.innerHeight;
}

/** Nothing reaches out of the screen to the side. */
async function fits(page, view) {
  for (const frame of page.frames()) {
    const wide = await frame.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
    assert.ok(wide <= 0, `${view}: ${wide} px wider than the screen`);
  }
}
