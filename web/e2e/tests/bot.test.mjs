// What a visitor sees of a bot: its answers and what they were taken from, buttons and forms, an answer that
// grows, and the way to a person; over reloads and without a network, in both languages, by keyboard alone.
import assert from "node:assert/strict";
import { after, afterEach, before, describe, it } from "node:test";
import { Agent } from "../support/agent.mjs";
import { checkThemes, withAxe } from "../support/axe.mjs";
import { Person, SERVER_AWAY, end, launch } from "../support/browser.mjs";
import { Server, storedMessages } from "../support/server.mjs";
import { Speaker } from "../support/speak.mjs";
import { Visitor } from "../support/visitor.mjs";

const QUESTION = { choices: { body: "Which one is it about?", choices: ["clay", "celadon", "glass"].map((id) => ({ id, label: `The ${id} one` })) } };
const FORM = {
  form: {
    title: "Where may we send it?",
    submit: "Send it",
    fields: [
      { id: "email", label: "E-mail", kind: "FORM_FIELD_KIND_EMAIL", required: true },
      { id: "phone", label: "Phone", kind: "FORM_FIELD_KIND_PHONE" },
      { id: "order", label: "Order number", kind: "FORM_FIELD_KIND_ORDER_NUMBER" },
      { id: "way", label: "How?", kind: "FORM_FIELD_KIND_CHOICE", required: true, options: [{ id: "post", label: "By post" }, { id: "shop", label: "To the shop" }] },
    ],
  },
};

const ARTICLE = {
  slug: "returns",
  category: "orders",
  state: "published",
  texts: {
    en: {
      title: "Returning a teapot",
      summary: "Thirty days, unused.",
      body: "You may return a teapot within thirty days as long as it was not used. We pay the postage back.",
      questions: ["How long may I return a teapot?", "Can I send a teapot back?"],
    },
    "zh-CN": {
      title: "退换茶壶",
      summary: "三十天内，未使用。",
      body: "未使用的茶壶可以在三十天内退货，退货运费由我们承担。",
      questions: ["茶壶多久之内可以退货？", "茶壶可以退吗？"],
    },
  },
};

const FLOW = `
name: delivery
start: { when: { words: [delivery, 配送] } }
steps:
  which:
    ask:
      text: { en: What is it about?, zh-CN: 请问是哪方面的问题？ }
      choices:
        - { id: late, label: { en: It is late, zh-CN: 还没到 }, goto: order }
        - { id: broken, label: { en: It is broken, zh-CN: 破损了 }, goto: order }
  order:
    form:
      title: { en: Which order is it?, zh-CN: 请问是哪个订单？ }
      submit: { en: Go on, zh-CN: 继续 }
      fields:
        - { id: order, kind: order_number, required: true, label: { en: Order number, zh-CN: 订单号 } }
        - { id: email, kind: email, label: { en: E-mail, zh-CN: 邮箱 } }
    goto: done
  done:
    say: { en: "Thank you, we look into {order}.", zh-CN: "谢谢，我们会查询 {order}。" }
    goto: end
  end:
    end: true
`;

/** Puts the bot of an inbox in its place. */
async function setBot(api, inbox) {
  const bot = await api("GET", "bot");
  const [{ id }] = (await api("GET", "inboxes")).inboxes;
  await api("PUT", "bot", { ...bot, name: { en: "Spruce", "zh-CN": "小杉" }, inboxes: { ...bot.inboxes, [id]: inbox } });
}

/** The chat's own document, for axe. */
const frameOf = (page) => page.frames().find((one) => one.url().includes("/widget/"));
const chosen = (visitor) => visitor.chat.locator('.choices button[aria-pressed="true"]').allTextContents();
const open = (visitor) => visitor.chat.locator(".choices button:enabled").count();

describe("somebody who is asked", () => {
  let server, browser, lin, agent, people;

  before(async () => {
    server = await Server.start();
    browser = await launch();
    lin = (await Person.arrive(browser)).expect(SERVER_AWAY);
    agent = await Agent.enter(await lin.page(), server.url);
    people = [];
  });

  afterEach(async () => {
    const gone = people;
    people = [];
    await end(gone);
  });

  after(() => end(lin, browser, server));

  /** With a conversation that somebody asks in. */
  async function arrive(text, options) {
    const person = (await withAxe(await Person.arrive(browser, options))).expect(SERVER_AWAY);
    people.push(person);
    const visitor = await Visitor.atShop(await person.page(), server.url);
    await visitor.say(text);
    await agent.open(text);
    return { visitor, speaker: await Speaker.begin(agent.page, agent.conversation()) };
  }

  const stored = async (speaker) => {
    const api = await server.api("agent");
    const { items } = await api("GET", `conversations/${speaker.conversation}/entries?after=0&limit=100`);
    return items.map(({ entry }) => entry?.content).filter((content) => content?.choice || content?.formReply);
  };

  it("picks a button, and sees which one, also after a reload", async () => {
    const { visitor, speaker } = await arrive("Which pots do you have?");
    const seq = await speaker.say(QUESTION);
    await visitor.chat.getByRole("group", { name: "Answers to choose from" }).getByRole("button", { name: "The celadon one" }).click();
    await visitor.marked("The celadon one", "sent").or(visitor.marked("The celadon one", "delivered")).or(visitor.marked("The celadon one", "read")).first().waitFor();
    for (const again of [false, true]) {
      if (again) {
        await visitor.page.reload();
        await visitor.launcher().click();
        await visitor.chat.locator(".choices").waitFor();
      }
      assert.deepEqual(await chosen(visitor), ["The celadon one"]);
      assert.equal(await open(visitor), 0);
    }
    assert.equal(await visitor.message("The celadon one").locator(".quote").count(), 0);
    assert.deepEqual(await stored(speaker), [{ text: { body: "The celadon one" }, choice: "celadon", quoteSeq: String(seq) }]);
  });

  it("may write something else, or be asked something newer: then the buttons are over", async () => {
    const { visitor, speaker } = await arrive("I need a pot");
    await speaker.say(QUESTION);
    await visitor.chat.locator(".choices button:enabled").first().waitFor();
    await visitor.say("None of them");
    await visitor.chat.locator(".choices button:disabled").first().waitFor();
    assert.deepEqual([await open(visitor), await chosen(visitor)], [0, []]);
    await speaker.say({ choices: { body: "A cup then?", choices: [{ id: "yes", label: "Yes" }] } });
    await visitor.chat.getByRole("button", { name: "Yes", exact: true }).waitFor();
    assert.equal(await open(visitor), 1);
    await speaker.say({ choices: { body: "Or a bowl?", choices: [{ id: "bowl", label: "A bowl" }] } });
    await visitor.chat.getByRole("button", { name: "A bowl" }).waitFor();
    assert.deepEqual(await visitor.chat.locator(".choices button:enabled").allTextContents(), ["A bowl"]);
  });

  it("fills in a form by keyboard alone, and is told what is wrong with it", async () => {
    const { visitor, speaker } = await arrive("Please send me one");
    const seq = await speaker.say(FORM);
    const { page, chat } = visitor;
    await chat.locator("form.asked input").first().focus();
    await page.keyboard.type("ann");
    await page.keyboard.press("Tab");
    await page.keyboard.type("１２３４");
    await page.keyboard.press("Enter");
    const wrong = chat.locator("form.asked .card-failed");
    await wrong.first().waitFor();
    assert.deepEqual(await wrong.allTextContents(), ["This is not an e-mail address.", "A phone number has 6 to 15 digits.", "Please fill this in."]);
    assert.equal(await chat.locator("form.asked input").first().evaluate((input) => input === document.activeElement && document.getElementById(input.getAttribute("aria-describedby"))?.textContent), "This is not an e-mail address.");
    await checkThemes(page, "a form with mistakes", frameOf(page));
    await page.keyboard.press("End");
    await page.keyboard.type("@example.com");
    await page.keyboard.press("Tab");
    // What stands there is selected now.
    await page.keyboard.type("１２３４５６");
    await page.keyboard.press("Tab");
    await page.keyboard.press("Tab");
    await page.keyboard.press("Space");
    await page.keyboard.press("Tab");
    await page.keyboard.press("Enter");
    await chat.locator(".message-own .filled-in").waitFor();
    assert.ok(await chat.locator(".scroller").evaluate((scroller) => scroller === document.activeElement), "the focus is not lost");
    await visitor.allSent();
    await page.reload();
    await visitor.launcher().click();
    for (const place of [".message-own .bubble", ".asked"]) {
      const values = chat.locator(`${place} .filled-in`);
      await values.waitFor();
      assert.deepEqual(await values.locator("div").allTextContents(), ["E-mail: ann@example.com", "Phone: 123456", "How? By post"]);
    }
    assert.equal(await chat.locator("form.asked").count(), 0);
    const values = [["email", "E-mail", "ann@example.com"], ["phone", "Phone", "123456"], ["order", "Order number", ""], ["way", "How?", "By post"]];
    assert.deepEqual(await stored(speaker), [{ formReply: { values: values.map(([id, label, value]) => (value === "" ? { id, label } : { id, label, value })) }, quoteSeq: String(seq) }]);
    await checkThemes(page, "a form that is filled in", frameOf(page));
  });

  it("answers without a network, over a reload, and once", async () => {
    const { visitor, speaker } = await arrive("I have no network soon");
    const asked = await speaker.say(QUESTION);
    await visitor.chat.locator(".choices button:enabled").first().waitFor();
    const context = visitor.page.context();
    // The chunk that draws it is there already; the socket is not.
    await context.setOffline(true);
    people.at(-1).expect(/ERR_INTERNET_DISCONNECTED/);
    await server.kill();
    await visitor.chat.locator(".banner").waitFor();
    await visitor.chat.getByRole("button", { name: "The glass one" }).click();
    await visitor.message("The glass one").locator(".mark-sending").waitFor();
    assert.deepEqual(await chosen(visitor), ["The glass one"]);
    await server.start();
    await context.setOffline(false);
    await visitor.page.reload();
    await visitor.launcher().click();
    await visitor.allSent();
    await visitor.chat.locator(".choices").waitFor();
    assert.deepEqual(await chosen(visitor), ["The glass one"]);
    assert.deepEqual(await stored(speaker), [{ text: { body: "The glass one" }, choice: "glass", quoteSeq: String(asked) }]);
  });

  it("fetches what draws it only then", async () => {
    const person = await Person.arrive(browser);
    people.push(person);
    const page = await person.page();
    const fetched = [];
    page.on("request", (request) => fetched.push(new URL(request.url()).pathname));
    const visitor = await Visitor.atShop(page, server.url);
    await visitor.say("Nothing to ask yet");
    await agent.open("Nothing to ask yet");
    await agent.say("Just a moment.");
    await visitor.message("Just a moment.").waitFor();
    const ofAsked = () => fetched.filter((path) => /\/assets\/asked-/.test(path)).length;
    assert.equal(ofAsked(), 0);
    const speaker = await Speaker.begin(agent.page, agent.conversation());
    await speaker.say(QUESTION);
    await visitor.chat.locator(".choices").waitFor();
    assert.ok(ofAsked() > 0);
  });
});

describe("the bot of the server", () => {
  let server, browser, api, agent, people;

  before(async () => {
    server = await Server.start();
    browser = await launch();
    api = await server.api();
    await api("POST", "articles", ARTICLE);
    await api("PUT", "bot/flows/delivery", { yaml: FLOW, version: 0 });
    await setBot(api, { mode: "answer", who: "built_in", flow: "" });
    people = [await Person.arrive(browser)];
    agent = await Agent.enter(await people[0].page(), server.url);
  });

  after(() => end(people, browser, server));

  async function arrive(locale) {
    const person = await withAxe(await Person.arrive(browser, { locale }));
    people.push(person);
    return Visitor.atShop(await person.page(), server.url);
  }

  for (const { locale, question, answer, mark, from, person } of [
    { locale: "en", question: "How long may I return a teapot?", answer: "within thirty days", mark: "Bot", from: "From: Returning a teapot", person: "Talk to a person" },
    { locale: "zh-CN", question: "茶壶多久之内可以退货？", answer: "三十天内", mark: "机器人", from: "来源：退换茶壶", person: "转人工" },
  ]) {
    it(`answers from the help centre and gives way to a person, in ${locale}`, async () => {
      const visitor = await arrive(locale);
      const { page, chat } = visitor;
      await visitor.say(question);
      await visitor.message(answer).waitFor();
      assert.deepEqual(await chat.locator(".message-name .bot").first().allTextContents(), [mark]);
      const source = chat.locator(".sources a", { hasText: from });
      await source.waitFor();
      await checkThemes(page, `a bot's answer, ${locale}`, frameOf(page));
      const [help] = await Promise.all([page.context().waitForEvent("page"), source.click()]);
      await help.waitForLoadState();
      assert.match(new URL(help.url()).pathname, /^\/help\/.*returns/);
      await help.close();
      const way = chat.getByRole("button", { name: person });
      await way.click();
      await way.waitFor({ state: "detached" });
      const more = `Somebody there? ${locale}`;
      await visitor.say(more);
      await agent.open(more);
      await agent.say("Lin here.");
      const mine = visitor.message("Lin here.");
      await mine.waitFor();
      await mine.locator(".message-name").waitFor();
      assert.equal(await mine.locator(".bot").count(), 0);
      assert.equal(await way.count(), 0);
    });
  }

  it("shows an answer that is longer than the window from its beginning, and stays there", async () => {
    const lines = Array.from({ length: 40 }, (_, at) => `${at + 1}. Lid`).join("\n");
    await api("POST", "articles", { slug: "kettle", category: "orders", state: "published", texts: { en: { title: "Sending a kettle back", summary: "", body: `Send the kettle in its box.\n\n${lines}`, questions: ["How do I send a kettle back?"] } } });
    const visitor = await arrive("en");
    const { chat } = visitor;
    const top = () => chat.locator(".message").filter({ hasText: "Send the kettle in its box" }).evaluate((message) => Math.round(message.getBoundingClientRect().top - message.closest(".scroller").getBoundingClientRect().top));
    await visitor.say("How do I send a kettle back?");
    await chat.locator(".sources").waitFor();
    await chat.locator(".latest").waitFor();
    const stands = await top();
    assert.ok(stands >= 0 && stands < 40, `its beginning stands at ${stands} px`);
    await chat.locator(".latest").click();
    await chat.locator(".latest").waitFor({ state: "detached" });
    assert.ok((await top()) < 0, "who goes on to its end is not brought back");
    // Whoever comes back later is at the end, as in any chat.
    await visitor.say("thanks");
    await visitor.message("thanks").waitFor();
    await chat.locator(".latest").waitFor({ state: "detached" });
  });

  it("asks how to reach the visitor where nobody is there, and nobody else asks", async () => {
    await agent.setPresence("offline");
    const visitor = await arrive("en");
    await visitor.chat.locator(".greeting").waitFor();
    assert.doesNotMatch(await visitor.chat.locator(".header").textContent(), /Nobody is online/, "the bot is here");
    await visitor.say("I want to talk to a human");
    const form = visitor.chat.locator("form.asked");
    await form.waitFor();
    await form.locator("button[type=submit]").click();
    await form.getByText("Please fill in at least one of these.").waitFor();
    await form.locator("input[inputmode=email]").fill("ann@example.com");
    await form.locator("button[type=submit]").click();
    await visitor.chat.locator(".message-own .filled-in", { hasText: "ann@example.com" }).waitFor();
    await visitor.allSent();
    assert.equal(await visitor.chat.locator("form.contact").count(), 0);
    await agent.setPresence("online");
  });

  it("asks by buttons and a form, and goes on with what it is told", async () => {
    const visitor = await arrive("en");
    await visitor.say("delivery");
    await visitor.chat.getByRole("button", { name: "It is late" }).click();
    const form = visitor.chat.locator("form.asked");
    await form.locator("input").first().fill("T-1001");
    await form.getByRole("button", { name: "Go on" }).click();
    await visitor.message("we look into T-1001").waitFor();
    await visitor.page.reload();
    await visitor.launcher().click();
    await visitor.message("we look into T-1001").waitFor();
    assert.deepEqual(await chosen(visitor), ["It is late"]);
  });
});

describe("a bot of one's own", () => {
  let server, browser, people, visitor, speaker;

  before(async () => {
    server = await Server.start();
    browser = await launch();
    const api = await server.api();
    const key = await api("POST", "api-keys", { name: "Juniper", rights: ["conversation.read.all", "conversation.write"], bot: true });
    await setBot(api, { mode: "answer", who: key.id, flow: "" });
    people = [await Person.arrive(browser), await Person.arrive(browser)];
    visitor = await Visitor.atShop(await people[0].page(), server.url);
    const page = await people[1].page();
    await page.goto(new URL("demo", server.url).href);
    await visitor.say("When are you open?");
    await visitor.allSent();
    const { rows } = await api("GET", "conversations?view=open");
    speaker = await Speaker.begin(page, rows[0].conversation, { bot: key.key });
  });

  after(() => end(people, browser, server));

  it("is read while it writes, and what stands there in the end is the same bubble", async () => {
    const said = [];
    const draft = visitor.chat.locator(".bubble-draft");
    await visitor.chat.locator("[aria-live=polite]").evaluate((region) => {
      window.announced = [];
      new MutationObserver(() => window.announced.push(region.textContent)).observe(region, { childList: true, characterData: true, subtree: true });
    });
    for (const text of ["We are", "We are open", "We are open from nine"]) {
      await speaker.draft(text);
      await draft.filter({ hasText: text }).waitFor();
      said.push(await draft.count());
    }
    assert.deepEqual(said, [1, 1, 1]);
    await draft.evaluate((bubble) => (bubble.sameBubble = true));
    await speaker.say({ text: { body: "We are open from nine to six." } });
    const bubble = visitor.message("nine to six").locator(".bubble");
    await bubble.waitFor();
    assert.ok(await bubble.evaluate((element) => element.sameBubble), "nothing was drawn anew");
    assert.equal(await draft.count(), 0);
    const announced = await bubble.evaluate(() => window.announced);
    assert.deepEqual([announced.length, announced[0]?.includes("nine to six")], [1, true]);
  });

  it("takes back what it began to write", async () => {
    await speaker.draft("And on Sundays");
    const draft = visitor.chat.locator(".bubble-draft");
    await draft.waitFor();
    await speaker.draft("", false);
    await draft.waitFor({ state: "detached" });
    assert.deepEqual((await storedMessages(await server.api(), speaker.conversation)).map(({ text }) => text).filter((text) => text.includes("Sundays")), []);
  });
});
