// What an inbox says before the first word, how a visitor is asked for an address while nobody is
// there, and visitors whom the site has signed in.
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { createHmac } from "node:crypto";
import { after, afterEach, before, describe, it } from "node:test";
import { Agent } from "../support/agent.mjs";
import { checkAccess, withAxe } from "../support/axe.mjs";
import { Person, end, launch } from "../support/browser.mjs";
import { Server } from "../support/server.mjs";
import { Site } from "../support/site.mjs";
import { Visitor } from "../support/visitor.mjs";

const QUESTIONS = { en: ["Where is my order?", "Do you ship abroad?"], "zh-CN": ["我的订单到哪了？", "可以寄到国外吗？"] };

describe("a visitor of an inbox", () => {
  let server, browser, site, key, api, inbox, people;

  before(async () => {
    server = await Server.start();
    browser = await launch();
    site = await Site.open(server.url);
    key = await server.inboxKey();
    api = await server.api();
    [inbox] = (await api("GET", "inboxes")).inboxes;
    await api("PATCH", `inboxes/${inbox.id}`, {
      origins: [site.origin],
      questions: QUESTIONS,
      hours_text: { en: "Mon-Fri 9-18", "zh-CN": "周一至周五 9:00-18:00" },
      language: "zh-CN",
    });
    people = [];
  });

  afterEach(async () => {
    const gone = people;
    people = [];
    await end(gone);
  });

  after(() => end(browser, site, server));

  async function arrive(options) {
    const person = await withAxe(await Person.arrive(browser, options));
    people.push(person);
    return person;
  }

  /** On the site's page; `identity` is said before the chat is put there. */
  async function enter(person, { identity = "", settings = {} } = {}) {
    const page = await person.page();
    const identify = identity === "" ? "" : `frontdesk("identify",${JSON.stringify(identity)});`;
    await page.goto(site.page({ script: `${identify}frontdesk("boot",${JSON.stringify({ inbox: key, ...settings })});` }));
    const visitor = new Visitor(page, page.frameLocator("#frontdesk-frame"));
    await visitor.launcher().click();
    await visitor.input.waitFor();
    return visitor;
  }

  const frameOf = (visitor) => visitor.page.frames().find((one) => one.url().includes("/widget/"));

  it("reads when somebody is there and begins with a question that others ask, in either language and theme", async () => {
    for (const [locale, colorScheme] of [
      ["en", "light"],
      ["zh-CN", "dark"],
    ]) {
      const visitor = await enter(await arrive({ locale, colorScheme }));
      await visitor.chat.locator(".hours", { hasText: locale === "en" ? "Mon-Fri 9-18" : "周一至周五" }).waitFor();
      const questions = visitor.chat.locator(".questions button");
      assert.deepEqual(await questions.allTextContents(), QUESTIONS[locale]);
      await checkAccess(frameOf(visitor), `welcome, ${locale}`);
      await questions.nth(1).click();
      await visitor.marked(QUESTIONS[locale][1], "sent").waitFor();
      assert.equal(await questions.count(), 0, "asked is asked");
    }
  });

  it("whose browser speaks a language we do not gets the inbox's", async () => {
    const visitor = await enter(await arrive({ locale: "fr-FR" }));
    await visitor.chat.locator('textarea[placeholder="输入消息"]').waitFor();
  });

  it("is asked once how to be reached while nobody is there", async () => {
    const person = await arrive({ locale: "en" });
    const visitor = await enter(person);
    await visitor.say("Is anybody there?");
    const form = visitor.chat.locator(".contact");
    await form.waitFor();
    await checkAccess(frameOf(visitor), "contact");
    const save = form.getByRole("button", { name: "Save" });
    assert.ok(await save.isDisabled(), "a name alone reaches nobody");
    await form.getByLabel("Name").fill("Ann Example");
    assert.ok(await save.isDisabled());
    await form.getByLabel("E-mail").fill("ann@home.example");
    await save.click();
    await visitor.chat.getByText("We will get back to you").waitFor();
    const { rows } = await api("GET", "conversations?view=open");
    const row = rows.find((one) => JSON.stringify(one).includes("Is anybody there?"));
    const { contact } = await api("GET", `conversations/${row.conversation}`);
    assert.deepEqual([contact.name, contact.email], ["Ann Example", "ann@home.example"]);
    const again = await enter(person);
    await again.message("Is anybody there?").waitFor();
    await again.say("Hello?");
    await again.marked("Hello?", "sent").waitFor();
    assert.equal(await again.chat.locator(".contact").count(), 0);

    // Whoever does not want to say is not asked again either.
    const other = await arrive({ locale: "en" });
    const shy = await enter(other);
    await shy.say("I shall not say.");
    await shy.chat.locator(".contact").getByRole("button", { name: "Not now" }).click();
    await shy.chat.locator(".contact").waitFor({ state: "detached" });
    const later = await enter(other);
    await later.message("I shall not say.").waitFor();
    assert.equal(await later.chat.locator(".contact").count(), 0);
  });

  it("sees when somebody comes, is asked and offered only what the settings say", async () => {
    const visitor = await enter(await arrive({ locale: "en" }));
    await visitor.chat.locator(".header", { hasText: "Nobody is online" }).waitFor();
    const lin = await arrive();
    const agent = await Agent.enter(await lin.page(), server.url);
    await visitor.chat.locator(".header .presence-on").waitFor();

    const put = (name, value) => api("PUT", `settings/${name}?inbox=${inbox.id}`, { value });
    const items = async () => {
      await visitor.chat.getByRole("button", { name: "More" }).click();
      await visitor.chat.getByRole("menuitem").first().waitFor();
      const found = await visitor.chat.getByRole("menuitem").allTextContents();
      await visitor.page.keyboard.press("Escape");
      return found;
    };
    await visitor.say("What am I offered?");
    await agent.open("What am I offered?");
    await agent.say("This.");
    await visitor.message("This.").waitFor();
    assert.ok((await items()).includes("End chat"));
    for (const name of ["session.visitor_may_close", "session.rating"]) await put(name, false);
    const back = async () => {
      await visitor.page.reload();
      await visitor.launcher().click();
      await visitor.message("This.").waitFor();
    };
    await back();
    assert.ok(!(await items()).includes("End chat"));
    await agent.page.getByTestId("close-button").click();
    await visitor.chat.locator(".system", { hasText: "The conversation was closed" }).waitFor();
    assert.equal(await visitor.chat.locator(".rating").count(), 0);
    await put("session.rating", true);
    await back();
    await visitor.chat.locator(".rating").waitFor();
  });

  it("reads once that nobody is there, and is asked for no address once somebody has taken the conversation", async () => {
    const lin = await arrive();
    const agent = await Agent.enter(await lin.page(), server.url);
    await agent.setPresence("away");
    const visitor = await enter(await arrive({ locale: "en" }));
    await visitor.say("Is really nobody there?");
    await visitor.chat.locator(".contact").waitFor();
    assert.deepEqual((await visitor.chat.locator(".system").allTextContents()).filter((text) => /free agent|online/.test(text)), ["Nobody is online at the moment. Your message is kept and will be answered."]);
    await agent.view("queue");
    await agent.open("Is really nobody there?");
    await agent.page.getByTestId("take-button").click();
    await visitor.chat.locator(".system", { hasText: "has joined" }).waitFor();
    await visitor.chat.locator(".contact").waitFor({ state: "detached" });
    await visitor.chat.locator(".header .presence:not(.presence-on)").waitFor();
  });

  it("whom the site signed in has one conversation everywhere, and leaves nothing behind", async () => {
    await api("PATCH", `inboxes/${inbox.id}`, { identity: { mode: "optional" } });
    const { secret } = await api("POST", `inboxes/${inbox.id}/identity-secrets`, {});
    const sign = (claims) => {
      const part = (value) => Buffer.from(JSON.stringify(value)).toString("base64url");
      const text = `${part({ alg: "HS256", typ: "JWT" })}.${part({ aud: key, exp: Math.floor(Date.now() / 1_000) + 600, ...claims })}`;
      return `${text}.${createHmac("sha256", secret).update(text).digest("base64url")}`;
    };
    const identity = sign({ sub: "customer-7", name: "Bo", email: "bo@home.example" });

    const home = await arrive({ locale: "en" });
    const before = await enter(home);
    await before.say("Written before signing in.");
    await before.marked("Written before signing in.", "sent").waitFor();
    await before.page.evaluate((token) => window.frontdesk("identify", token), identity);
    await before.message("Written before signing in.").waitFor();
    await before.say("Written after it.");
    await before.marked("Written after it.", "sent").waitFor();

    const phone = await enter(await arrive({ locale: "en" }), { identity });
    await phone.message("Written before signing in.").waitFor();
    await phone.message("Written after it.").waitFor();
    await phone.say("From the other device.");
    await before.message("From the other device.").waitFor();
    assert.equal(await phone.chat.locator(".contact").count(), 0, "the site said where to reach Bo");
    await phone.input.fill("never to be seen");
    await phone.page.evaluate(() => window.frontdesk("shutdown"));
    assert.equal(await phone.page.locator("#frontdesk-frame").count(), 0);

    // Who sits at the other device next is somebody else.
    const [, other] = people;
    const next = await enter(other);
    await next.chat.locator(".questions button").first().waitFor();
    assert.equal(await next.chat.locator(".message").count(), 0);
    assert.equal(await next.input.inputValue(), "");
    const kept = await frameOf(next).evaluate(() => Object.keys(localStorage));
    assert.deepEqual(kept.filter((name) => name.includes("customer-7")), []);

    // A signature of somebody else's proves nothing: the page is told why.
    const stranger = (await arrive({ locale: "en" })).expect(/status of 401/).expect(/cannot be shown here \(identity\.invalid\)/);
    const page = await stranger.page();
    const forged = `${identity.slice(0, identity.lastIndexOf("."))}.${"A".repeat(43)}`;
    await page.goto(site.page({ script: `window.codes=[];frontdesk("on","refused",function(detail){codes.push(detail.code)});frontdesk("boot",${JSON.stringify({ inbox: key, identity: forged })});` }));
    await page.waitForFunction(() => window.codes.includes("identity.invalid"));
    assert.equal(await page.locator("#frontdesk-launcher").count(), 0);
  });
});
