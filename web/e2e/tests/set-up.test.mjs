// The first start: an empty directory, a link on the terminal, and then a working chat.
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { Agent } from "../support/agent.mjs";
import { checkAccess, withAxe } from "../support/axe.mjs";
import { Person, end, launch } from "../support/browser.mjs";
import { Server } from "../support/server.mjs";
import { Visitor } from "../support/visitor.mjs";

const PASSWORD = "correct horse battery staple 42";

/** The first two steps: who one is, and what the team is called. */
async function tell(page, name, email, account) {
  await page.getByTestId("set-up-name").fill(name);
  await page.getByTestId("set-up-email").fill(email);
  await page.getByTestId("set-up-password").fill(PASSWORD);
  await page.getByTestId("set-up-next").click();
  await page.getByTestId("set-up-account").fill(account);
  await page.getByTestId("set-up-next").click();
  await page.getByTestId("set-up-site").waitFor();
}

describe("the set-up link", () => {
  let server, browser, people;

  before(async () => {
    server = await Server.start({ demo: false });
    browser = await launch();
    people = [await withAxe(await Person.arrive(browser)), await Person.arrive(browser)];
  });

  after(() => end(people, browser, server));

  it("leads from the owner to a message that has arrived, and works once", async () => {
    const link = await server.setUpLink();
    const page = await people[0].page();
    await page.goto(link);
    await checkAccess(page, "set-up, you");
    await tell(page, "Ida", "ida@repairs.example", "Blue Bottle Repairs");
    await checkAccess(page, "set-up, site");
    await page.getByTestId("set-up-site").fill("not a site");
    await page.locator(".field-error").waitFor();
    assert.ok(await page.getByTestId("set-up-submit").isDisabled());
    await page.getByTestId("set-up-site").fill("www.repairs.example/kettles");
    await page.getByTestId("set-up-submit").click();

    // The snippet, before it was seen anywhere.
    await page.getByTestId("inbox-snippet").waitFor();
    assert.ok(!page.url().includes("token"), "the token has left the address");
    const inboxKey = /inbox:"(\w+)"/.exec(await page.getByTestId("inbox-snippet").textContent())[1];
    await page.getByTestId("snippet-seen").waitFor();
    await checkAccess(page, "set-up, snippet");
    await page.getByTestId("welcome-next").click();

    // A message to oneself, on the page of its own.
    const address = await page.getByTestId("open-chat-page").getAttribute("href");
    assert.ok(address.endsWith(`/c/${inboxKey}`));
    await page.getByTestId("qr-code").waitFor();
    const [chat] = await Promise.all([page.context().waitForEvent("page"), page.getByTestId("open-chat-page").click()]);
    const self = new Visitor(chat, chat);
    await self.input.waitFor();
    await self.say("Is anybody there?");
    await page.getByTestId("test-message").filter({ hasText: "Is anybody there?" }).waitFor();
    await checkAccess(page, "set-up, test message");
    await page.getByTestId("welcome-next").click();

    // A colleague.
    await page.getByTestId("invite-email").fill("jo@repairs.example");
    await checkAccess(page, "set-up, invite");
    await page.getByTestId("invite-submit").click();
    assert.match(await page.getByTestId("invite-link").textContent(), /#\/invite\/[\w-]+$/);
    await page.getByTestId("welcome-next").click();
    const agent = new Agent(page);
    await agent.rail().waitFor();
    await agent.row("Is anybody there?").waitFor();
    await page.goto(`${server.url}#/settings/inboxes`);
    await page.getByTestId("inbox-basics-tab").click();
    assert.equal(await page.getByTestId("inbox-origins").inputValue(), "https://www.repairs.example");

    // Whoever opens the link later cannot make another account.
    const late = await people[1].page();
    people[1].expect(/status of 4\d\d.*\/api\/v1\/setup/);
    await late.goto(link);
    await tell(late, "Mallory", "mallory@else.example", "Somebody Else");
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
