// An ordinary hour: three visitors write at once, two agents answer, and everything they have for it
// is used once. At the end nothing is lost and no page has complained.
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { Agent } from "../support/agent.mjs";
import { Person, end, launch } from "../support/browser.mjs";
import { picture } from "../support/picture.mjs";
import { Server, storedMessages } from "../support/server.mjs";
import { Visitor } from "../support/visitor.mjs";

const NEXT = /You are next|马上就轮到您/;
/** Each of a pair writes so many while the other does. */
const TURNS = 8;
const REPLY = "Parcels leave the workshop every day at four.";

describe("two agents and three visitors at once", () => {
  let server, browser, api, people, lin, mei, visitors, waiting, pairs;

  before(async () => {
    server = await Server.start();
    api = await server.api();
    // One at a time: the third visitor has to wait.
    await api("PUT", "settings/routing.capacity", { value: 1 });
    await api("POST", "canned-replies", { shortcut: "leaves", texts: { en: REPLY, "zh-CN": "每天下午四点发货。" } });
    browser = await launch();
    people = await Promise.all(["en", "en", "en", "en", "zh-CN"].map((locale) => Person.arrive(browser, { locale })));
    const inboxKey = await server.inboxKey();
    [lin, mei] = [await Agent.enter(await people[0].page(), server.url, "agent"), await Agent.enter(await people[1].page(), server.url, "supervisor")];
    visitors = [
      await Visitor.atShop(await people[2].page(), server.url),
      await Visitor.alone(await people[3].page(), server.url, inboxKey),
      await Visitor.alone(await people[4].page(), server.url, inboxKey),
    ];
    for (const [at, name] of ["ann", "bob", "cai"].entries()) visitors[at].name = name;
  });

  after(() => end(people, browser, server));

  const note = (agent, text) => agent.page.locator('[data-testid="message"][data-kind="note"]', { hasText: text });
  const nobodySees = async (text) => {
    for (const visitor of visitors) assert.equal(await visitor.message(text).count(), 0, `${visitor.name} sees no note`);
  };

  it("two are given to the agents and the third waits in the queue, which it is told", async () => {
    await Promise.all(visitors.map((visitor) => visitor.say(`${visitor.name} would like to know`)));
    pairs = [];
    for (const agent of [lin, mei]) {
      await agent.view("mine");
      await agent.row("would like to know").waitFor();
      const words = await agent.row("would like to know").textContent();
      const visitor = visitors.find((one) => words.includes(one.name));
      await agent.open(`${visitor.name} would like to know`);
      pairs.push({ agent, visitor });
    }
    waiting = visitors.find((one) => pairs.every(({ visitor }) => visitor !== one));
    assert.ok(waiting, "each agent has one, and another one waits");
    await waiting.chat.locator(".queue-place", { hasText: NEXT }).waitFor();
    await mei.page.locator('[data-testid="view-queue"] .count', { hasText: /^1$/ }).waitFor();
  });

  it("all write at the same time, and each reads what was written to them, in order", async () => {
    const speak = async (who, name) => {
      for (let turn = 1; turn <= TURNS; turn++) await who.say(`${name} ${turn}.`);
    };
    await Promise.all(pairs.flatMap(({ agent, visitor }) => [speak(agent, `to ${visitor.name}`), speak(visitor, visitor.name)]).concat(speak(waiting, waiting.name)));
    for (const { agent, visitor } of pairs) {
      await visitor.message(`to ${visitor.name} ${TURNS}.`).waitFor();
      await agent.message(`${visitor.name} ${TURNS}.`).first().waitFor();
      const texts = await agent.texts();
      for (const name of [`to ${visitor.name}`, visitor.name]) {
        assert.deepEqual(texts.filter((text) => text.startsWith(`${name} `) && text.endsWith(".")), Array.from({ length: TURNS }, (_, at) => `${name} ${at + 1}.`));
      }
    }
  });

  it("pictures go both ways", async () => {
    for (const { agent, visitor } of pairs) {
      await visitor.chat.locator('.composer input[type="file"]').setInputFiles({ name: "cup.png", mimeType: "image/png", buffer: await picture(visitor.page, 300, 200, "#2f6b55") });
      await agent.page.locator('[data-testid="message"][data-side="visitor"] .picture img[alt="cup.png"]').waitFor();
      await agent.page.getByTestId("composer-file").setInputFiles({ name: "box.png", mimeType: "image/png", buffer: await picture(agent.page, 200, 300, "#8a4b2a") });
      await agent.page.locator('[data-testid="attachment"][data-state="stored"]').waitFor();
      await agent.input.press("Enter");
      const seen = visitor.chat.locator('.message-other .picture img[alt="box.png"]');
      await seen.waitFor();
      assert.ok(await seen.evaluate((img) => img.decode().then(() => img.naturalHeight === 300)), "the picture is drawn");
    }
  });

  it("a message is quoted, and a canned reply is found by its name", async () => {
    for (const { agent, visitor } of pairs) {
      const quoted = agent.message(`${visitor.name} ${TURNS}.`).first();
      await quoted.hover();
      await quoted.getByTestId("quote-button").click();
      await agent.say("About this one: yes.");
      await agent.message("About this one").locator(".quote", { hasText: `${visitor.name} ${TURNS}.` }).waitFor();
      await visitor.message("About this one").waitFor();
      await agent.input.pressSequentially("/leav");
      await agent.page.getByTestId("replies-menu").getByText(REPLY).waitFor();
      await agent.input.press("Enter");
      await agent.page.getByTestId("replies-menu").waitFor({ state: "detached" });
      assert.equal(await agent.input.inputValue(), REPLY);
      await agent.input.press("Enter");
      await visitor.message(REPLY).waitFor();
    }
  });

  it("a colleague is mentioned in a note, which stays among the team", async () => {
    await lin.page.getByTestId("mode-note").click();
    await lin.input.pressSequentially("asked about this last week as well @mei");
    await lin.page.getByTestId("mentions-menu").getByText("Mei 梅").waitFor();
    await lin.input.press("Enter");
    await lin.page.getByTestId("mentions-menu").waitFor({ state: "detached" });
    assert.match(await lin.input.inputValue(), /@Mei 梅 $/);
    await lin.input.press("Enter");
    await note(lin, "asked about this last week").getByTestId("mention").getByText("@Mei 梅").waitFor();
    await lin.page.getByTestId("mode-reply").click();
    await mei.view("mentions");
    const [{ visitor }] = pairs;
    await mei.page.locator('[data-testid="conversation-row"]', { has: mei.page.getByTestId("row-mentioned") }).waitFor();
    await mei.page.getByTestId("conversation-row").click();
    await note(mei, "asked about this last week").locator(".mention-me").waitFor();
    await mei.message(`${visitor.name} ${TURNS}.`).first().waitFor();
    await nobodySees("asked about this last week");
  });

  it("one is handed on with a note, and who waited gets the free place", async () => {
    const [{ visitor }] = pairs;
    await lin.page.getByTestId("transfer-button").click();
    await lin.page.locator(".target", { hasText: "Mei 梅" }).click();
    await lin.page.getByTestId("transfer-note").fill("wants a gift box");
    await lin.page.getByTestId("transfer-submit").click();
    await lin.page.getByTestId("transfer-dialog").waitFor({ state: "detached" });
    await mei.view("mine");
    await visitor.say(`${visitor.name} is still here`);
    await mei.open(`${visitor.name} is still here`);
    await note(mei, "wants a gift box").or(mei.systemLine("wants a gift box")).first().waitFor();
    await note(mei, "asked about this last week").waitFor();
    await mei.say(`Mei answers ${visitor.name}.`);
    await visitor.message(`Mei answers ${visitor.name}.`).waitFor();
    await nobodySees("wants a gift box");

    await lin.view("mine");
    await lin.open(`${waiting.name} ${TURNS}.`);
    await waiting.chat.locator(".queue-place").waitFor({ state: "detached" });
    await lin.say(`Lin answers ${waiting.name}.`);
    await waiting.message(`Lin answers ${waiting.name}.`).waitFor();
  });

  it("the supervisor takes one over", async () => {
    await mei.view("all");
    await mei.open(`Lin answers ${waiting.name}.`);
    await mei.page.getByTestId("take-over-button").click();
    await mei.page.getByTestId("chat-state").filter({ hasText: "With you" }).waitFor();
    await mei.say(`Mei has ${waiting.name} now.`);
    await waiting.message(`Mei has ${waiting.name} now.`).waitFor();
    await lin.view("mine");
    await lin.row(waiting.name).waitFor({ state: "detached" });
  });

  it("all are closed and rated, and nothing was lost on the way", async () => {
    await mei.view("all");
    for (const [at, visitor] of visitors.entries()) {
      await visitor.say(`${visitor.name} says goodbye`);
      await mei.open(`${visitor.name} says goodbye`);
      await mei.message(`${visitor.name} says goodbye`).waitFor();
      const conversation = mei.conversation();
      await mei.page.getByTestId("close-button").click();
      await mei.page.getByTestId("reopen-button").waitFor();
      await visitor.chat.locator(".rating label").nth(at + 2).click();
      await visitor.chat.locator('.rating button[type="submit"]').click();
      await visitor.chat.locator(".rating").waitFor({ state: "detached" });
      await mei.view("closed");
await mei.row(`${visitor.name} says goodbye`).getByText(`${at + 3} of 5`).waitFor();
      await mei.view("all");

      const stored = await storedMessages(api, conversation);
      const everyone = stored.filter(({ team }) => !team).map(({ text }) => text);
      assert.equal(new Set(stored.map(({ id }) => id)).size, stored.length, "nothing is there twice");
      const own = Array.from({ length: TURNS }, (_, turn) => `${visitor.name} ${turn + 1}.`);
      assert.deepEqual(everyone.filter((text) => own.includes(text)), own);
      assert.deepEqual(await spoken(visitor), everyone, `${visitor.name} has read everything`);
    }
  });
});

/** What stands in a visitor's window: words alone, without quotes, pictures and system lines. */
async function spoken(visitor) {
  const texts = await visitor.chat.locator(".message .bubble").evaluateAll((bubbles) =>
    bubbles.map((bubble) => {
      const words = bubble.cloneNode(true);
      for (const other of words.querySelectorAll(".quote, .visually-hidden, .picture, .attachment")) other.remove();
      return words.textContent;
    }),
  );
  return texts.filter((text) => text !== "");
}
