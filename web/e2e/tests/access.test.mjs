// axe on every view, in light and in dark, in both languages; and that switching language reloads
// nothing. A view that no row of the tables shows fails the test.
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { after, before, describe, it } from "node:test";
import { Agent } from "../support/agent.mjs";
import { checkThemes, withAxe } from "../support/axe.mjs";
import { Person, SERVER_AWAY, end, launch } from "../support/browser.mjs";
import { Crowd } from "../support/crowd.mjs";
import { picture } from "../support/picture.mjs";
import { Server } from "../support/server.mjs";
import { Speaker } from "../support/speak.mjs";
import { CONSOLE, WIDGET, unnamed, unseen } from "../support/views.mjs";
import { Visitor } from "../support/visitor.mjs";

const LOOKS = [
  { colorScheme: "light", locale: "en" },
  { colorScheme: "dark", locale: "zh-CN" },
];

/** A name of this machine that no browser takes for it: to the page, another machine over plain http. */
const ELSEWHERE = "desk.example";

describe("everybody", () => {
  let server, browser, people, crowd, api;

  before(async () => {
    server = await Server.start();
    browser = await launch(`--host-resolver-rules=MAP ${ELSEWHERE} 127.0.0.1`);
    people = [await Person.arrive(browser)];
    crowd = await Crowd.gather(people[0], server.url, await server.inboxKey());
    api = await server.api();
    // Two letters stand for such a name.
    await api("PATCH", "me", { display_name: "Ida 艾达" });
    await api("POST", "teams", { names: { en: "Sales", "zh-CN": "售前" }, members: [(await api("GET", "me")).id] });
    await api("POST", "canned-replies", { shortcut: "leaves", texts: { en: "It leaves today.", "zh-CN": "今天发货。" } });
  });

  after(() => end(people, browser, server));

  const arrive = async (options) => {
    const person = await withAxe(await Person.arrive(browser, options));
    people.push(person);
    return person;
  };

  for (const look of LOOKS) {
    const how = `in ${look.locale}, first ${look.colorScheme}`;

    it(`can use every view of the console, ${how}`, async () => {
      const page = await (await arrive(look)).expect(/status of 404.*\/conversations\/0+$/).page();
      await page.goto(server.url);
      await page.getByTestId("sign-in-email").waitFor();
      await checkThemes(page, "sign-in");
      const agent = await Agent.enter(page, server.url, "owner");
      await crowd.join(`hello from ${look.locale}`, { language: look.locale });
      await agent.view("all");
      await agent.open(`hello from ${look.locale}`);
      if (await page.getByTestId("take-button").isVisible()) await page.getByTestId("take-button").click();
      await agent.say("hello https://example.com/help");
      await agent.message("hello https").waitFor();
      await page.getByTestId("composer-file").setInputFiles({ name: "box.png", mimeType: "image/png", buffer: await picture(page, 300, 200, "#8a4b2a") });
      await page.locator('[data-testid="attachment"][data-state="stored"]').waitFor();
      await agent.input.press("Enter");
      await page.locator('[data-testid="message"] .picture img').waitFor();
      await page.getByTestId("mode-note").click();
      await agent.say("a note");
      await agent.message("a note").waitFor();
      await page.getByTestId("mode-reply").click();
      const context = { page, url: server.url, conversation: agent.conversation() };
      const shown = new Set();
      for (const { name, go, leave } of CONSOLE) {
        await within(name, () => go(context));
        for (const testid of await page.locator("[data-testid]").evaluateAll((elements) => elements.filter((element) => element.checkVisibility()).map((element) => element.dataset.testid))) shown.add(testid);
        await checkThemes(page, `${name}, ${look.locale}`);
        if (leave) await within(`leaving ${name}`, () => leave(context));
      }
      // The server sees that it is the same machine, and sends a header that the browser does not take over plain http.
      const outside = await (await arrive(look)).expect(/Cross-Origin-Opener-Policy header has been ignored/).page();
      await outside.goto(`http://${ELSEWHERE}:${server.port}/`);
      await outside.getByTestId("insecure-banner").waitFor();
      shown.add("insecure-banner");
      await checkThemes(outside, `sign-in over plain http, ${look.locale}`);
      const { email, password } = await server.credentials("admin");
      await outside.getByTestId("sign-in-email").fill(email);
      await outside.getByTestId("sign-in-password").fill(password);
      await outside.getByTestId("sign-in-submit").click();
      await outside.getByTestId("presence-switch").waitFor();
      await outside.getByTestId("insecure-banner").waitFor();
      await checkThemes(outside, `plain http, ${look.locale}`);
      // Its own server, since it goes away.
      const away = await Server.start();
      try {
        const lin = (await arrive(look)).expect(SERVER_AWAY);
        const desk = await Agent.enter(await lin.page(), away.url, "owner");
        await away.kill();
        await desk.page.getByTestId("offline-banner").waitFor();
        shown.add("offline-banner");
        await checkThemes(desk.page, `offline, ${look.locale}`);
        await lin.leave();
        people.splice(people.indexOf(lin), 1);
      } finally {
        await away.stop();
      }
      assert.deepEqual(unseen(shown), [], "every dialog, menu and banner of the sources has a row");
    });

    it(`can use every view of the widget, the shop and the page of its own, ${how}`, async () => {
      assert.deepEqual(unnamed(WIDGET), [], "every view of the widget has a row");
      const shop = await Server.start();
      try {
        const ann = (await arrive(look)).expect(SERVER_AWAY).expect(/status of 422.*name=empty.txt/);
        const lin = (await arrive(look)).expect(SERVER_AWAY);
        const admin = await shop.api();
        const page = await ann.page();
        await page.goto(new URL("demo", shop.url).href);
        await page.locator("#frontdesk-launcher button").waitFor();
        await checkThemes(page, "shop with its launcher");
        const visitor = await Visitor.atShop(page, shop.url);
        await checkThemes(page, "shop with its chat");
        let agent;
        const context = {
          page,
          visitor,
          /** Somebody is there, and has no place free. */
          full: async () => {
            await admin("PUT", "settings/routing.capacity", { value: 0 });
            agent = await Agent.enter(await lin.page(), shop.url, "agent");
          },
          answer: async () => {
            await agent.view("queue");
            await agent.page.getByTestId("conversation-row").first().click();
            await agent.page.getByTestId("take-button").click();
            await agent.page.getByTestId("close-button").waitFor();
            await agent.say("It does, here it is: 有的。");
            for (const file of [
              { name: "box.png", mimeType: "image/png", buffer: await picture(agent.page, 300, 200, "#8a4b2a") },
              { name: "care.txt", mimeType: "text/plain", buffer: Buffer.from("Wash it by hand.") },
            ]) {
              await agent.page.getByTestId("composer-file").setInputFiles(file);
              await agent.page.locator('[data-testid="attachment"][data-state="stored"]').waitFor();
              await agent.input.press("Enter");
              await agent.page.getByTestId("attachment").waitFor({ state: "detached" });
            }
          },
          /** What bots ask, by buttons and by a form. */
          ask: async () => {
            const speaker = await Speaker.begin(agent.page, agent.conversation());
            await speaker.say({ choices: { body: "Which one? 哪一个？", choices: [{ id: "clay", label: "The clay one" }, { id: "celadon", label: "青瓷" }] } });
            const options = [{ id: "home", label: "To my home" }, { id: "shop", label: "到店自取" }];
            const fields = [
              { id: "email", label: "E-mail 邮箱", kind: "FORM_FIELD_KIND_EMAIL", required: true },
              { id: "way", label: "How? 怎么送？", kind: "FORM_FIELD_KIND_CHOICE", required: true, options },
              { id: "note", label: "Anything else", kind: "FORM_FIELD_KIND_TEXT" },
            ];
            await speaker.say({ form: { title: "Where to? 送到哪里？", fields } });
            await speaker.leave();
          },
          close: () => agent.page.getByTestId("close-button").click(),
          /** The server is gone, and comes back once `work` is done. */
          away: async (work) => {
            await shop.kill();
            await work();
            await shop.start();
          },
        };
        const frame = page.frames().find((one) => one.url().includes("/widget/"));
        for (const { name, go, leave } of WIDGET) {
          await within(name, () => go(context));
          await checkThemes(page, `widget, ${name}, ${look.locale}`, frame);
          if (leave) await within(`leaving ${name}`, () => leave(context));
        }
        const alone = await Visitor.alone(await ann.page(), shop.url, await shop.inboxKey());
        await alone.message("About this.").waitFor();
        await checkThemes(alone.page, "page of its own");
        await shop.kill();
        await visitor.chat.locator(".banner").waitFor();
        await checkThemes(page, "widget, offline", frame);
        for (const person of [ann, lin]) {
          await person.leave();
          people.splice(people.indexOf(person), 1);
        }
      } finally {
        await shop.stop();
      }
    });

    it(`can set up a server, and join one, ${how}`, async () => {
      const fresh = await Server.start({ demo: false });
      try {
        const page = await (await arrive(look)).page();
        await page.goto(await fresh.setUpLink());
        await page.getByTestId("set-up-name").fill("Ida");
        await page.getByTestId("set-up-email").fill("ida@repairs.example");
        await page.getByTestId("set-up-password").fill("correct horse battery staple 42");
        await checkThemes(page, "set-up, you");
        await page.getByTestId("set-up-next").click();
        await page.getByTestId("set-up-account").fill("Blue Bottle Repairs");
        await checkThemes(page, "set-up, account");
        await page.getByTestId("set-up-next").click();
        await page.getByTestId("set-up-site").waitFor();
        await checkThemes(page, "set-up, site");
      } finally {
        await fresh.stop();
      }
      const invitation = await api("POST", "invitations", { email: `noor@${look.locale.toLowerCase()}.example`, role: (await api("GET", "roles")).roles[0].id, teams: [], language: look.locale });
      const noor = await (await arrive(look)).page();
      await noor.goto(invitation.url);
      await noor.getByTestId("join-name").waitFor();
      await checkThemes(noor, "invitation");
    });
  }

  it("can switch the language without a reload", async () => {
    const agent = await Agent.enter(await (await arrive({})).page(), server.url, "owner");
    const { page } = agent;
    await page.goto(`${server.url}#/inbox/all`);
    await page.evaluate(() => (window.neverReloaded = true));
    for (const [locale, inbox] of [
      ["zh-CN", "收件箱"],
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

/** A failure says at which view. */
async function within(view, work) {
  try {
    await work();
  } catch (error) {
    throw new Error(`${view}: ${error.message}`, { cause: error });
  }
}
