// The server dies in the middle of everything and comes back on the same port. Nothing acknowledged
// may be lost, nothing may be doubled or change its place, and nobody has to reload.
import assert from "node:assert/strict";
import { afterEach, beforeEach, describe, it } from "node:test";
import { Agent } from "../support/agent.mjs";
import { Person, SERVER_AWAY, end, launch } from "../support/browser.mjs";
import { Server, storedTexts } from "../support/server.mjs";
import { Visitor } from "../support/visitor.mjs";

/** Tall enough to draw every message of a test at once. */
const TALL = { viewport: { width: 1440, height: 4_000 } };
const EACH = 24;
/** Messages between which the server dies. */
const DIES_AFTER = [6, 15];

describe("a server killed with -9", () => {
  let server, browser, people;

  beforeEach(async () => {
    people = [];
    server = await Server.start();
    browser = await launch();
  });

  afterEach(() => end(people, browser, server));

  async function arrive(options) {
    const person = (await Person.arrive(browser, options)).expect(SERVER_AWAY);
    people.push(person);
    return person;
  }

  it("costs nothing while both write, and nobody reloads", async () => {
    const [ann, lin] = [await arrive(TALL), await arrive(TALL)];
    const inboxKey = await server.inboxKey();
    const agent = await Agent.enter(await lin.page(), server.url);
    const visitor = await Visitor.alone(await ann.page(), server.url, inboxKey);
    await visitor.say("visitor 0");
    await agent.open("visitor 0");
    await agent.say("agent 0");
    await visitor.message("agent 0").waitFor();
    for (const page of [visitor.page, agent.page]) await page.evaluate(() => (window.neverReloaded = true));

    const died = [];
    const write = async (who, name) => {
      for (let number = 1; number < EACH; number++) {
        // Half of a message stands in the field when the server dies.
        await who.input.pressSequentially(`${name} `);
        if (name === "visitor" && DIES_AFTER.includes(number)) died.push(server.kill().then(() => server.start()));
        await who.input.pressSequentially(String(number));
        await who.input.press("Enter");
      }
    };
    await Promise.all([write(visitor, "visitor"), write(agent, "agent")]);
    await Promise.all(died);

    const last = EACH - 1;
    for (const one of [visitor, agent]) for (const name of ["visitor", "agent"]) await one.message(`${name} ${last}`).waitFor();
    await visitor.allSent();
    await agent.page.locator('[data-testid="delivery"][data-state="sending"]').first().waitFor({ state: "detached" });

    const conversation = agent.conversation();
    const stored = await storedTexts(await server.api(), conversation);
    for (const name of ["visitor", "agent"]) {
      const expected = Array.from({ length: EACH }, (_, number) => `${name} ${number}`);
      assert.deepEqual(stored.filter((text) => text.startsWith(name)), expected, `all of ${name}'s, once, in order`);
    }
    assert.equal(stored.length, 2 * EACH);
    assert.deepEqual(await visitor.texts(), stored, "the visitor sees what is stored");
    assert.deepEqual(await agent.texts(), stored, "the agent sees what is stored");
    for (const page of [visitor.page, agent.page]) assert.ok(await page.evaluate(() => window.neverReloaded), "not reloaded");
    await Promise.all([visitor.page.reload(), agent.page.reload()]);
    await visitor.message(`agent ${last}`).waitFor();
    await agent.message(`agent ${last}`).waitFor();
    assert.deepEqual(await visitor.texts(), stored, "after a reload, too");
    assert.deepEqual(await agent.texts(), stored, "after a reload, too");
  });

  for (const [when, name] of [
    ["before", "already dead"],
    ["while", "killed while they go out"],
  ]) {
    it(`makes one conversation of the first messages of two tabs, ${name}`, async () => {
      const ann = await arrive();
      const tabs = [await Visitor.atShop(await ann.page(), server.url), await Visitor.atShop(await ann.page(), server.url)];
      // One text, one draft: what stands in the field is shared, so it is written just before Enter.
      const send = async () => {
        await tabs[0].say("from the first tab");
        await tabs[1].say("from the second tab");
      };
      if (when === "before") {
        await server.kill();
        await send();
      } else {
        await Promise.all([send(), server.kill()]);
      }
      await server.start();
      for (const tab of tabs) {
        await tab.message("from the first tab").waitFor();
        await tab.message("from the second tab").waitFor();
        await tab.allSent();
      }
      const api = await server.api();
      const { rows } = await api("GET", "conversations?view=open");
      assert.equal(rows.length, 1, "one conversation");
      const stored = await storedTexts(api, rows[0].conversation);
      assert.deepEqual([...stored].sort(), ["from the first tab", "from the second tab"]);
      for (const tab of tabs) assert.deepEqual(await tab.texts(), stored);
    });
  }
});
