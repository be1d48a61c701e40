// Who answers whom: take, transfer, close and reopen from the console; two agents at once.
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { Agent } from "../support/agent.mjs";
import { Person, end, launch } from "../support/browser.mjs";
import { Crowd } from "../support/crowd.mjs";
import { Server } from "../support/server.mjs";
import { Visitor } from "../support/visitor.mjs";

describe("a session", () => {
  let server, browser, people, visitor, lin, mei;

  before(async () => {
    server = await Server.start();
    browser = await launch();
    people = [await Person.arrive(browser), await Person.arrive(browser), await Person.arrive(browser)];
    lin = await Agent.enter(await people[0].page(), server.url, "agent");
    mei = await Agent.enter(await people[1].page(), server.url, "supervisor");
    await lin.setPresence("away");
    await mei.setPresence("away");
    visitor = await Visitor.atShop(await people[2].page(), server.url);
    await visitor.say("Where is my parcel?");
  });

  after(() => end(people, browser, server));

  it("waits in the queue where nobody is free, and is taken", async () => {
    await lin.view("queue");
    await lin.open("parcel");
    await lin.page.getByTestId("take-button").click();
    await visitor.chat.locator(".system", { hasText: "Lin 林 has joined" }).waitFor();
    await lin.say("I am looking.");
    await visitor.message("I am looking.").waitFor();
  });

  it("goes to a colleague with a note that the visitor does not see", async () => {
    await lin.page.getByTestId("transfer-button").click();
    await lin.page.locator(".target", { hasText: "Mei 梅" }).click();
    await lin.page.getByTestId("transfer-note").fill("parcel is lost");
    await lin.page.getByTestId("transfer-submit").click();
    await lin.page.getByTestId("transfer-dialog").waitFor({ state: "detached" });
    await mei.view("mine");
    await mei.open("I am looking.");
    await mei.systemLine("Lin 林").first().waitFor();
    await mei.page.locator('[data-testid="message"][data-kind="note"]', { hasText: "parcel is lost" }).or(mei.systemLine("parcel is lost")).first().waitFor();
    await mei.say("We send another one.");
    await visitor.message("We send another one.").waitFor();
    assert.equal(await visitor.message("parcel is lost").count(), 0);
  });

  it("keeps notes among the team", async () => {
    await mei.page.getByTestId("mode-note").click();
    await mei.say("refund approved");
    await mei.page.locator('[data-testid="message"][data-kind="note"]', { hasText: "refund approved" }).waitFor();
    await mei.page.getByTestId("mode-reply").click();
    await mei.say("Anything else?");
    await visitor.message("Anything else?").waitFor();
    assert.equal(await visitor.message("refund approved").count(), 0);
  });

  it("is closed, rated, and reopened", async () => {
    await mei.page.getByTestId("close-button").click();
    await visitor.chat.locator(".system", { hasText: "The conversation was closed" }).waitFor();
    await visitor.chat.getByText("5 of 5 stars").locator("xpath=ancestor::label").click();
    await visitor.chat.getByRole("button", { name: "Send rating" }).click();
    await visitor.chat.getByText("Thank you for your rating.").waitFor();
    await mei.page.getByTestId("reopen-button").click();
    await visitor.chat.locator(".system", { hasText: "has reopened" }).waitFor();
    await mei.say("One more thing.");
    await visitor.message("One more thing.").waitFor();
    await mei.page.getByTestId("close-button").click();
    // The way back stands in the notice.
    await mei.page.getByTestId("notice-action").last().click();
    await mei.page.getByTestId("close-button").waitFor();
  });

  it("goes to one of two who take it at once, and the other hears who has it", async () => {
    const crowd = await Crowd.gather(people[2], server.url, await server.inboxKey());
    await crowd.join("Do you ship to Norway?");
    await lin.view("queue");
    await mei.view("queue");
    await Promise.all([lin.open("Norway"), mei.open("Norway")]);
    const buttons = [lin, mei].map((agent) => agent.page.getByTestId("take-button"));
    for (const button of buttons) await button.waitFor();
    // Both have pressed before either has an answer.
    await Promise.all(buttons.map((button) => button.evaluate((element) => element.click())));
    await Promise.all([lin, mei].map((agent) => agent.page.getByTestId("take-button").waitFor({ state: "detached" })));
    const states = (await Promise.all([lin, mei].map((agent) => agent.page.getByTestId("chat-state").allTextContents()))).flat();
    assert.equal(states.filter((state) => state === "With you").length, 1, states.join(" / "));
    // An agent may not even look at a colleague's conversation; a supervisor sees who has it.
    const won = states.includes("With Lin 林") ? lin : mei;
    if (won === mei) await lin.page.getByTestId("notice").first().waitFor();
  });
});
