// Without a connection: a thin bar says so and how many messages wait; they go out once it is back.
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { Agent } from "../support/agent.mjs";
import { Person, SERVER_AWAY, end, launch } from "../support/browser.mjs";
import { Server, storedTexts } from "../support/server.mjs";
import { Visitor } from "../support/visitor.mjs";

describe("without a connection", () => {
  let server, browser, people, agent, visitor;

  before(async () => {
    server = await Server.start();
    browser = await launch();
    people = [await Person.arrive(browser), await Person.arrive(browser)];
    for (const person of people) person.expect(SERVER_AWAY);
    agent = await Agent.enter(await people[1].page(), server.url);
    visitor = await Visitor.alone(await people[0].page(), server.url, await server.inboxKey());
    await visitor.say("Do you have oolong?");
    await agent.open("oolong");
    await agent.message("oolong").waitFor();
    await server.kill();
  });

  after(() => end(people, browser, server));

  const bars = () => [visitor.chat.locator(".banner"), agent.page.getByTestId("offline-banner")];

  it("both are told so before they write", async () => {
    for (const bar of bars()) await bar.filter({ hasText: "No connection. Messages are kept" }).waitFor();
  });

  it("the bar counts what waits to be sent", async () => {
    for (const [number, words] of [
      ["one", "1 message waits"],
      ["two", "2 messages wait"],
    ]) {
      await visitor.say(`visitor ${number}`);
      await agent.say(`agent ${number}`);
      for (const bar of bars()) await bar.filter({ hasText: words }).waitFor();
    }
    for (const number of ["one", "two"]) await agent.marked(`agent ${number}`, "sending").waitFor();
    // A group has one mark, at its last message.
    await visitor.marked("visitor two", "sending").waitFor();
  });

  it("it goes when the server is back, and everything arrived once and in order", async () => {
    await server.start();
    for (const bar of bars()) await bar.waitFor({ state: "detached" });
    await visitor.message("agent two").waitFor();
    await agent.message("visitor two").waitFor();
    await visitor.allSent();
    await agent.page.locator('[data-testid="delivery"][data-state="sending"]').first().waitFor({ state: "detached" });
    const stored = await storedTexts(await server.api(), agent.conversation());
    for (const who of ["visitor", "agent"]) {
      assert.deepEqual(stored.filter((text) => text.startsWith(who)), [`${who} one`, `${who} two`]);
    }
    assert.equal(stored.length, 5);
    assert.deepEqual(await visitor.texts(), stored);
    assert.deepEqual(await agent.texts(), stored);
  });
});
