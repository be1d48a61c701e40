// The demo with its life: a shop that is answered, a console beside it, visitors who come by.
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { Agent } from "../support/agent.mjs";
import { end, launch, Person } from "../support/browser.mjs";
import { Server } from "../support/server.mjs";
import { Visitor } from "../support/visitor.mjs";

describe("the demo", () => {
  let server;
  let browser;
  before(async () => {
    [server, browser] = await Promise.all([Server.start({ life: true }), launch()]);
  });
  after(() => end(browser, server));

  it("answers in the shop until somebody opens the console beside", async () => {
    const person = await Person.arrive(browser, { locale: "en" });
    const visitor = await Visitor.atShop(await person.page(), server.url);
    await visitor.say("How long does delivery take?");
    await visitor.message("SF Express").waitFor();
    // One click leads from the bot to people.
    await visitor.chat.locator("button.person").click();
    await visitor.say("Is the plum green gaiwan in stock?");
    await visitor.message("I am Yun").waitFor();
    assert.ok((await visitor.texts()).some((text) => text.includes(server.url)), "the answer says where the console is");

    const opening = visitor.page.waitForEvent("popup");
    await visitor.page.getByTestId("open-console").click();
    const beside = await opening;
    await beside.getByTestId("continue-as-agent").click();
    const agent = new Agent(beside);
    await agent.rail().waitFor();
    // Whoever is there gets the visitor at once.
    await agent.open("welcome to Spruce Tea");
    await agent.input.fill("It is, twelve of them.");
    await agent.input.press("Enter");
    await visitor.message("It is, twelve of them.").waitFor();
    await person.leave();
  });

  it("leads from the shop to its help centre, in the language of the page", async () => {
    const person = await Person.arrive(browser, { locale: "en" });
    const page = await person.page();
    await page.goto(new URL("demo", server.url).href);
    const help = page.getByTestId("open-help");
    await page.getByRole("link", { name: "Help", exact: true }).waitFor();
    await page.getByRole("button", { name: "简体中文" }).click();
    await page.getByRole("link", { name: "帮助", exact: true }).waitFor();
    assert.equal(new URL(await help.getAttribute("href")).pathname, `/help/${await server.inboxKey()}`);
    await help.click();
    await page.getByText("多久能收到货？").first().waitFor();
    await person.leave();
  });

  it("keeps a glaze and a basket when the language changes", async () => {
    const person = await Person.arrive(browser, { locale: "en" });
    const page = await person.page();
    await page.goto(new URL("demo", server.url).href);
    await page.getByLabel("Powder green").check();
    await page.getByRole("button", { name: "Put into the basket" }).click();
    await page.getByRole("status").filter({ hasText: "nothing is sold" }).waitFor();
    await page.getByRole("button", { name: "简体中文" }).click();
    await page.getByRole("img", { name: "购物篮，1 件" }).waitFor();
    assert.equal(await page.getByLabel("粉青").isChecked(), true);
    await person.leave();
  });

  it("opens the console in a tab where there is no room for two windows", async () => {
    const person = await Person.arrive(browser, { viewport: { width: 390, height: 844 }, screen: { width: 390, height: 844 }, isMobile: true, hasTouch: true });
    const page = await person.page();
    await page.goto(new URL("demo", server.url).href);
    const opening = person.context.waitForEvent("page");
    await page.getByTestId("open-console").tap();
    await (await opening).getByTestId("continue-as-agent").waitFor();
    const overflow = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
    assert.equal(overflow, 0, "nothing stands out of the page");
    await person.leave();
  });

  it("lets its visitors stand still from the console", async () => {
    const person = await Person.arrive(browser);
    const page = await person.page();
    await Agent.enter(page, server.url, "supervisor");
    const api = await server.api("supervisor");
    await page.getByTestId("demo-switch").click();
    await page.locator('[data-testid="demo-switch"][data-paused="true"]').waitFor();
    assert.equal((await api("GET", "demo")).paused, true);
    await page.getByTestId("demo-switch").click();
    await page.locator('[data-testid="demo-switch"][data-paused="false"]').waitFor();
    assert.equal((await api("GET", "demo")).paused, false);
    await person.leave();
  });
});
