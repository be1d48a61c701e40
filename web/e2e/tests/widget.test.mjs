// What a visitor does in the chat's window besides writing: answers one message, chooses little
// pictures, hears and sees that something came, reads it in a language of their own, goes back.
import assert from "node:assert/strict";
import { after, afterEach, before, describe, it } from "node:test";
import { Agent } from "../support/agent.mjs";
import { Person, end, launch } from "../support/browser.mjs";
import { Server } from "../support/server.mjs";
import { Site } from "../support/site.mjs";
import { Visitor } from "../support/visitor.mjs";

/** More than are drawn at once, and several pages. */
const LINES = 180;

describe("in the widget a visitor", () => {
  let server, browser, site, key, lin, agent, people;

  before(async () => {
    server = await Server.start();
    browser = await launch();
    site = await Site.open(server.url);
    key = await server.inboxKey();
    const api = await server.api();
    const [inbox] = (await api("GET", "inboxes")).inboxes;
    await api("PATCH", `inboxes/${inbox.id}`, { origins: [site.origin] });
    lin = await Person.arrive(browser);
    agent = await Agent.enter(await lin.page(), server.url);
    people = [];
  });

  afterEach(async () => {
    const gone = people;
    people = [];
    await end(gone);
  });

  after(() => end(lin, browser, site, server));

  const boot = (settings = {}) => `frontdesk("boot",${JSON.stringify({ inbox: key, ...settings })});`;

  /** On the site's page, with the window open. */
  async function arrive({ settings, ...options } = {}) {
    const person = await Person.arrive(browser, options);
    people.push(person);
    return enter(person, settings);
  }

  async function enter(person, settings) {
    const page = await person.page();
    await page.goto(site.page({ script: boot(settings) }));
    const visitor = new Visitor(page, page.frameLocator("#frontdesk-frame"));
    await visitor.launcher().click();
    await visitor.input.waitFor();
    return visitor;
  }

  it("answers one message of many, and both sides see which", async () => {
    const visitor = await arrive();
    await visitor.say("Which of them is for green tea?");
    await agent.open("green tea");
    await agent.say("The celadon one.");
    await agent.say("The clay one is for pu-erh.");
    await visitor.message("The clay one").waitFor();
    const row = visitor.chat.locator(".message-other", { hasText: "The celadon one." });
    await row.hover();
    await row.locator(".reply").click();
    await visitor.chat.locator(".quoting", { hasText: "The celadon one." }).waitFor();
    assert.ok(await visitor.input.evaluate((input) => input === document.activeElement), "the text has the focus");
    await visitor.say("That one, please.");
    const answer = visitor.message("That one, please.");
    await answer.locator(".quote", { hasText: "The celadon one." }).waitFor();
    assert.equal(await visitor.chat.locator(".quoting").count(), 0);
    await agent.message("That one, please.").filter({ hasText: "The celadon one." }).waitFor();
    // Not sent after all: the next message quotes nothing.
    await row.hover();
    await row.locator(".reply").click();
    await visitor.chat.getByRole("button", { name: "Do not quote" }).click();
    await visitor.say("Thank you.");
    await visitor.marked("Thank you.", "read").waitFor();
    assert.equal(await visitor.message("Thank you.").locator(".quote").count(), 0);
    await visitor.page.reload();
    await visitor.launcher().click();
    await answer.locator(".quote", { hasText: "The celadon one." }).click();
    await visitor.chat.locator(".found", { hasText: "The celadon one." }).waitFor();
  });

  it("goes from a quote to what it quotes, however far back that is, or reads why not", async () => {
    const visitor = await arrive();
    await visitor.say("The very first words");
    await agent.open("The very first words");
    const api = await server.api("agent");
    const say = (message) => api("POST", `conversations/${agent.conversation()}/messages`, message);
    const note = await say({ text: "Not for visitors", audience: "team" });
    for (let line = 1; line <= LINES; line++) await say({ text: `line ${line}` });
    await say({ text: "As you said first", quote_seq: 1 });
    await say({ text: "As we said among us", quote_seq: note.seq });
    await visitor.message("As we said among us").waitFor();
    await visitor.page.reload();
    await visitor.launcher().click();
    const quote = visitor.message("As you said first").locator(".quote");
    const older = /\/entries\?before=/;
    people.at(-1).expect(/ERR_FAILED.*\/entries\?before=/);
    await visitor.page.route(older, (route) => route.abort());
    await quote.click();
    await quote.getByRole("alert").filter({ hasText: "Older messages could not be loaded." }).waitFor();
    await visitor.page.unroute(older);
    // Pages back; then all of it is there and too much to be drawn at once.
    for (let times = 0; times < 2; times++) {
      await quote.click();
      const found = visitor.chat.locator("[data-row].found", { hasText: "The very first words" });
      await found.waitFor();
      assert.ok(await found.evaluate((row) => {
        const [place, box] = [row, row.closest(".scroller")].map((element) => element.getBoundingClientRect());
        return place.top >= box.top && place.bottom <= box.bottom;
      }), "it stands on the screen");
      await visitor.chat.locator(".latest").click();
      await visitor.message("As we said among us").waitFor();
      await found.waitFor({ state: "detached" });
    }
    assert.equal(await quote.getByRole("alert").count(), 0);
    const hidden = visitor.message("As we said among us").locator(".quote");
    await hidden.click();
    await hidden.getByRole("alert").filter({ hasText: "This message cannot be shown here." }).waitFor();
  });

  it("tells that it types only where that may be seen", async () => {
    const api = await server.api();
    const settings = ["chat.sneak_peek", "chat.typing"];
    const before = (await api("GET", "settings")).settings.filter(({ name }) => settings.includes(name));
    await api("PUT", "settings/chat.sneak_peek", { value: false });
    try {
      for (const typing of [false, true]) {
        await api("PUT", "settings/chat.typing", { value: typing });
        const person = await Person.arrive(browser);
        people.push(person);
        const page = await person.page();
        const drafts = [];
        page.on("websocket", (socket) =>
          socket.on("framesent", ({ payload }) => {
            const { draft } = JSON.parse(payload.toString());
            if (draft) drafts.push(draft);
          }),
        );
        const visitor = await Visitor.alone(page, server.url, key);
        const arrived = (text) => visitor.marked(text, "sent").or(visitor.marked(text, "delivered")).or(visitor.marked(text, "read")).first().waitFor();
        await visitor.say("The connection is there.");
        await arrived("The connection is there.");
        await visitor.input.pressSequentially("Do you see me type?");
        await visitor.input.press("Enter");
        await arrived("Do you see me type?");
        assert.equal(drafts.length > 0, typing, JSON.stringify(drafts));
      }
    } finally {
      for (const { name, value } of before) await api("PUT", `settings/${name}`, { value });
    }
  });

  it("puts little pictures where the text stands, by keyboard too", async () => {
    const visitor = await arrive();
    await visitor.input.fill("Tea  please");
    await visitor.input.evaluate((input) => input.setSelectionRange(4, 4));
    const open = visitor.chat.getByRole("button", { name: "Emoji" });
    await open.click();
    await visitor.chat.getByRole("button", { name: "🍵" }).click();
    await visitor.chat.locator(".emoji").waitFor({ state: "detached" });
    assert.equal(await visitor.input.inputValue(), "Tea 🍵 please");
    await visitor.page.keyboard.type("!");
    assert.equal(await visitor.input.inputValue(), "Tea 🍵! please");
    await open.press("Enter");
    await visitor.chat.locator(".emoji button:focus").waitFor();
    await visitor.page.keyboard.press("ArrowRight");
    await visitor.page.keyboard.press("Enter");
    assert.equal(await visitor.input.inputValue(), "Tea 🍵!😃 please");
    await open.press("Enter");
    await visitor.chat.locator(".emoji button:focus").waitFor();
    await visitor.page.keyboard.press("Escape");
    await visitor.chat.locator(".emoji").waitFor({ state: "detached" });
    assert.equal(await visitor.launcher().getAttribute("aria-expanded"), "true", "Escape closed what was on top");
  });

  it("hears and sees that something came while they look elsewhere, unless they turned it off", async () => {
    const person = await Person.arrive(browser);
    people.push(person);
    await person.context.addInitScript(() => {
      window.tones = 0;
      const begin = window.OscillatorNode.prototype.start;
      window.OscillatorNode.prototype.start = function (...values) {
        window.tones += 1;
        return begin.apply(this, values);
      };
    });
    const visitor = await enter(person);
    const frame = visitor.page.frames().find((one) => one.url().includes("/widget/"));
    await visitor.say("I shall look elsewhere.");
    await visitor.marked("I shall look elsewhere.", "sent").waitFor();
    await agent.open("look elsewhere");
    await agent.say("Are you looking?");
    await visitor.message("Are you looking?").waitFor();
    await visitor.launcher().click();
    await agent.say("And now?");
    await frame.waitForFunction(() => window.tones === 2);
    assert.equal(await visitor.launcher().locator("span").textContent(), "1");
    // In another tab.
    const own = await visitor.page.title();
    const hide = (hidden) =>
      visitor.page.evaluate((value) => {
        Object.defineProperty(document, "hidden", { configurable: true, get: () => value });
        document.dispatchEvent(new Event("visibilitychange"));
      }, hidden);
    await hide(true);
    assert.equal(await visitor.page.title(), "(1) New message");
    await hide(false);
    assert.equal(await visitor.page.title(), own);
    const menu = async (item) => {
      await visitor.launcher().click();
      await visitor.chat.getByRole("button", { name: "More" }).click();
      await visitor.chat.getByRole("menuitem", { name: item }).click();
      await visitor.launcher().click();
    };
    await menu("Turn sound off");
    await agent.say("Quietly.");
    await visitor.page.waitForFunction(() => document.querySelector("#frontdesk-launcher").shadowRoot.querySelector("span").textContent === "1");
    await menu("Turn sound on");
    await agent.say("Aloud.");
    await frame.waitForFunction(() => window.tones > 2);
    assert.equal(await frame.evaluate(() => window.tones), 4, "two tones each, and none for the quiet one");
  });

  it("reads the site's language, else the own choice, else the browser's", async () => {
    const words = (visitor) => visitor.input.getAttribute("placeholder");
    const visitor = await arrive({ locale: "en-GB" });
    assert.equal(await words(visitor), "Write a message");
    await visitor.chat.getByRole("button", { name: "More" }).click();
    await visitor.chat.getByRole("menuitem", { name: "简体中文" }).click();
    await visitor.chat.locator('textarea[placeholder="输入消息"]').waitFor();
    const [person] = people;
    assert.equal(await words(await enter(person)), "输入消息", "the choice is kept");
    const told = await enter(person, { language: "en" });
    assert.equal(await words(told), "Write a message", "the site has the first word");
    await told.chat.getByRole("button", { name: "More" }).click();
    await told.chat.getByRole("menuitem", { name: "sound" }).waitFor();
    assert.equal(await told.chat.getByRole("menuitem", { name: "简体中文" }).count(), 0, "what the site has settled is no choice");
  });

  it("fills a phone's screen, and goes back to the page, not off it", async () => {
    const visitor = await arrive({ viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true });
    const { page } = visitor;
    const url = page.url();
    const box = await page.locator("#frontdesk-frame").boundingBox();
    assert.deepEqual([box.x, box.y, Math.round(box.width), Math.round(box.height)], [0, 0, 390, 844]);
    assert.equal(await visitor.launcher().isVisible(), false, "nothing lies over the composer");
    const session = await page.context().newCDPSession(page);
    await session.send("Emulation.setSafeAreaInsetsOverride", { insets: { top: 47, bottom: 34 } });
    await page.waitForFunction(() => getComputedStyle(document.getElementById("frontdesk-frame")).paddingTop === "47px");
    const composer = await visitor.chat.locator(".composer").boundingBox();
    const header = await visitor.chat.locator(".header").boundingBox();
    assert.deepEqual([header.y, composer.y + composer.height], [47, 844 - 34], "nothing lies under a notch or the home bar");
    await page.goBack();
    await page.locator("#frontdesk-frame").waitFor({ state: "hidden" });
    assert.equal(page.url(), url);
    await visitor.launcher().tap();
    await visitor.input.waitFor();
    await visitor.chat.getByRole("button", { name: "Close chat" }).tap();
    await page.locator("#frontdesk-frame").waitFor({ state: "hidden" });
    assert.equal(page.url(), url);
  });
});
