// The first start: an empty directory, a link on the terminal, and then a working chat.
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { Agent } from "../support/agent.mjs";
import { Person, end, launch } from "../support/browser.mjs";
import { Server } from "../support/server.mjs";
import { Visitor } from "../support/visitor.mjs";

const PASSWORD = "correct horse battery staple 42";

describe("the set-up link", () => {
  let server, browser, people;

  before(async () => {
    server = await Server.start({ demo: false });
    browser = await launch();
    people = [await Person.arrive(browser), await Person.arrive(browser)];
  });

  after(() => end(people, browser, server));

  it("makes the account and its owner, shows how to go on, and works once", async () => {
    const link = await server.setUpLink();
    const page = await people[0].page();
    await page.goto(link);
    await page.getByTestId("set-up-account").fill("Blue Bottle Repairs");
    await page.getByTestId("set-up-name").fill("Ida");
    await page.getByTestId("set-up-email").fill("ida@repairs.example");
    await page.getByTestId("set-up-password").fill(PASSWORD);
    await page.getByTestId("set-up-submit").click();
    const agent = new Agent(page);
    await agent.rail().waitFor();
    assert.ok(!page.url().includes("token"), "the token has left the address");
    const address = await page.getByRole("link", { name: /\/c\/\w+$/ }).textContent();
    const inboxKey = address.split("/").pop().trim();
    assert.ok((await page.locator("main").last().innerText()).includes(`inbox:"${inboxKey}"`), "the page tells how to put the chat on a site");

    // Whoever opens the link later cannot make another account.
    const late = await people[1].page();
    people[1].expect(/status of 4\d\d.*\/api\/v1\/setup/);
    await late.goto(link);
    await late.getByTestId("set-up-account").fill("Somebody Else");
    await late.getByTestId("set-up-name").fill("Mallory");
    await late.getByTestId("set-up-email").fill("mallory@else.example");
    await late.getByTestId("set-up-password").fill(PASSWORD);
    await late.getByTestId("set-up-submit").click();
    await late.locator(".form-error").waitFor();

    const visitor = await Visitor.alone(await people[1].page(), server.url, inboxKey);
    await visitor.say("Do you mend kettles?");
    await page.getByTestId("nav-inbox").click();
    await agent.setPresence("online");
    await agent.open("kettles");
    await agent.say("We do.");
    await visitor.message("We do.").waitFor();

    await agent.rail().click();
    await page.getByTestId("sign-out").click();
    await page.getByTestId("sign-in-email").fill("ida@repairs.example");
    people[0].expect(/status of 401.*\/api\/v1\/sign-in/);
    await page.getByTestId("sign-in-password").fill("not this one");
    await page.getByTestId("sign-in-submit").click();
    await page.getByTestId("sign-in-error").waitFor();
    await page.getByTestId("sign-in-password").fill(PASSWORD);
    await page.getByTestId("sign-in-submit").click();
    await agent.rail().waitFor();
  });
});
