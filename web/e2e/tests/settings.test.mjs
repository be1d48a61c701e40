// What administrators do in the settings, and that it takes effect: rights of a role, an invitation, the
// look of the widget, a website that was refused, hours and rules of an inbox.
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { Agent } from "../support/agent.mjs";
import { checkAccess, withAxe } from "../support/axe.mjs";
import { Person, end, launch } from "../support/browser.mjs";
import { Server } from "../support/server.mjs";
import { Site } from "../support/site.mjs";
import { Visitor } from "../support/visitor.mjs";

const PASSWORD = "correct horse battery staple 42";

describe("the settings", () => {
  let server, browser, people, boss, page;

  before(async () => {
    server = await Server.start();
    browser = await launch();
    people = [await withAxe(await Person.arrive(browser))];
    boss = await Agent.enter(await people[0].page(), server.url, "owner");
    page = boss.page;
  });

  after(() => end(people, browser, server));

  const arrive = async (options) => {
    const person = await withAxe(await Person.arrive(browser, options));
    people.push(person);
    return person;
  };
  const settings = async (path, seen) => {
    await page.goto(`${server.url}#/settings/${path}`);
    await page.getByTestId(seen).first().waitFor();
  };
  const saved = () => page.getByTestId("save-bar").waitFor({ state: "detached" });
  const inboxPage = async (part, seen) => {
    await settings("inboxes", "inbox-install-tab");
    await page.getByTestId(`inbox-${part}-tab`).click();
    await page.getByTestId(seen).first().waitFor();
  };

  it("give a role a right, and whoever has it may do so at once", async () => {
    // With other rights the console opens another socket, whatever became of the one before.
    const person = (await arrive()).expect(/WebSocket is closed before the connection is established/);
    const lin = await Agent.enter(await person.page(), server.url, "agent");
    await lin.page.goto(`${server.url}#/settings`);
    await lin.page.getByTestId("settings-profile").waitFor();
    assert.equal(await lin.page.getByTestId("settings-replies").count(), 0);
    await settings("rights", "role");
    await checkAccess(page, "roles");
    await page.getByTestId("role").filter({ hasText: "Agent" }).click();
    await page.getByTestId("right-settings.replies").check();
    await checkAccess(page, "a role");
    await page.getByTestId("role-save").click();
    await saved();
    await lin.page.getByTestId("settings-replies").click();
    await lin.page.getByTestId("add-reply").waitFor();
    // And takes it again.
    await page.getByTestId("right-settings.replies").uncheck();
    await page.getByTestId("role-save").click();
    await saved();
    await lin.page.getByTestId("settings-replies").waitFor({ state: "detached" });
  });

  it("keep the owner's role as it is, and make and remove one of the account's own", async () => {
    await settings("rights", "role");
    await page.getByTestId("role").filter({ hasText: "Owner" }).click();
    await page.getByTestId("right-conversation.erase").waitFor();
    assert.ok(await page.getByTestId("right-conversation.erase").isDisabled());
    await settings("rights", "add-role");
    await page.getByTestId("add-role").click();
    await page.getByTestId("role-name-en").fill("Night shift");
    await page.getByTestId("right-conversation.write").check();
    await page.getByTestId("role-save").click();
    await page.getByTestId("role").filter({ hasText: "Night shift" }).click();
    await page.getByTestId("remove-role").click();
    await page.getByTestId("confirm-submit").click();
    await page.getByTestId("add-role").waitFor();
    assert.equal(await page.getByTestId("role").filter({ hasText: "Night shift" }).count(), 0);
  });

  it("invite a colleague by a link that works once", async () => {
    await settings("people", "person");
    await checkAccess(page, "people");
    await page.getByTestId("invite-person").click();
    await page.getByTestId("invite-email").fill("noor@tea.example");
    await page.getByTestId("invite-name").fill("Noor");
    await checkAccess(page, "invite");
    await page.getByTestId("invite-submit").click();
    const link = await page.getByTestId("invite-link").textContent();
    await page.getByTestId("invite-done").click();
    await page.getByTestId("invitation").filter({ hasText: "noor@tea.example" }).waitFor();

    const noor = await arrive({ locale: "zh-CN" });
    const own = await noor.page();
    await own.goto(link);
    await own.getByTestId("join-name").waitFor();
    assert.equal(await own.getByTestId("join-email").inputValue(), "noor@tea.example");
    assert.equal(await own.getByTestId("join-name").inputValue(), "Noor");
    await checkAccess(own, "join");
    noor.expect(/status of 422.*\/accept/);
    await own.getByTestId("join-password").fill("password");
    await own.getByTestId("join-submit").click();
    await own.locator(".field-error").waitFor();
    await own.getByTestId("join-password").fill(PASSWORD);
    await own.getByTestId("join-submit").click();
    await new Agent(own).rail().waitFor();
    assert.ok(!own.url().includes("invite"), "the token has left the address");

    await page.reload();
    await page.getByTestId("person").filter({ hasText: "noor@tea.example" }).waitFor();
    assert.equal(await page.getByTestId("invitation").count(), 0);
    const late = await arrive();
    late.expect(/status of 4\d\d.*\/invitations\/by-token/);
    const lost = await late.page();
    await lost.goto(link);
    await lost.getByRole("heading", { name: "This invitation is not valid any more" }).waitFor();
  });

  it("change, disable and remove a person", async () => {
    await settings("people", "person");
    const row = page.getByTestId("person").filter({ hasText: "noor@tea.example" });
    const choose = async (action) => {
      await row.getByTestId("person-menu").click();
      await page.getByTestId(`person-${action}`).click();
    };
    await choose("edit");
    await page.getByTestId("person-capacity").fill("3");
    await page.getByTestId("person-submit").click();
    await page.getByTestId("person-dialog").waitFor({ state: "detached" });
    await row.locator("td.number").filter({ hasText: "3" }).waitFor();
    await choose("password");
    const password = await page.getByTestId("person-new-password").inputValue();
    await page.getByTestId("password-submit").click();
    assert.equal(await page.getByTestId("reset-password").textContent(), password);
    await page.keyboard.press("Escape");
    await choose("disable");
    await page.getByTestId("confirm-submit").click();
    await row.locator(".tag-danger").waitFor();
    await choose("remove");
    await page.getByTestId("confirm-submit").click();
    await row.waitFor({ state: "detached" });
  });

  it("show the widget's look while it is chosen, and visitors see it once it is saved", async () => {
    await inboxPage("look", "preview");
    const head = page.locator(".preview-head");
    const back = (element) => element.evaluate((one) => getComputedStyle(one).backgroundColor);
    await page.getByTestId("look-accent").fill("#a3216b");
    assert.equal(await back(head), "rgb(163, 33, 107)");
    await page.getByTestId("look-side-left").check();
    assert.equal(await page.getByTestId("preview").getAttribute("data-side"), "left");
    await page.getByTestId("look-accent").fill("pink");
    await page.locator(".field-error").waitFor();
    assert.ok(await page.getByTestId("inbox-save").isDisabled());
    await page.getByTestId("look-accent").fill("#a3216b");
    await checkAccess(page, "look");
    // Leaving asks first.
    await page.getByTestId("nav-waiting").click();
    await page.getByTestId("leave-stay").click();
    assert.equal(await page.getByTestId("look-accent").inputValue(), "#a3216b");
    await page.getByTestId("inbox-save").click();
    await saved();
    const visitor = await Visitor.atShop(await (await arrive()).page(), server.url);
    await visitor.chat.locator(".header").waitFor();
    assert.equal(await back(visitor.chat.locator(".header")), "rgb(163, 33, 107)");
  });

  it("let visitors read texts and questions that were written, each in their language", async () => {
    await inboxPage("texts", "inbox-greeting");
    await page.getByTestId("texts-en").click();
    await page.getByTestId("inbox-greeting").fill("Welcome to the tea room");
    await page.locator(".preview-greeting", { hasText: "Welcome to the tea room" }).waitFor();
    await page.getByTestId("texts-zh-CN").click();
    await page.getByTestId("inbox-greeting").fill("欢迎来到茶室");
    await page.getByTestId("inbox-question-add").click();
    await page.getByTestId("inbox-question-0").fill("紫砂壶怎么开壶？");
    await page.locator(".preview-questions", { hasText: "紫砂壶怎么开壶？" }).waitFor();
    await checkAccess(page, "texts");
    await page.getByTestId("inbox-save").click();
    await saved();
    const visitor = await Visitor.alone(await (await arrive({ locale: "zh-CN" })).page(), server.url, await server.inboxKey());
    await visitor.chat.getByText("欢迎来到茶室").waitFor();
  });

  it("see where the widget was refused, and allow it there with one press", async () => {
    const site = await Site.open(server.url);
    const ann = (await arrive()).expect(/frame-ancestors/).expect(/postMessage/);
    try {
      const shop = await ann.page();
      await shop.goto(site.page({ script: `frontdesk("boot",{inbox:"${await server.inboxKey()}"});frontdesk("open");` }));
      await inboxPage("install", "refused-origin");
      const line = page.getByTestId("refused-origin").filter({ hasText: site.origin });
      await line.waitFor();
      await checkAccess(page, "install");
      await line.getByTestId("allow-origin").click();
      await line.waitFor({ state: "detached" });
      await shop.reload();
      await new Visitor(shop, shop.frameLocator("#frontdesk-frame")).input.waitFor();
      await page.getByTestId("seen-origin").filter({ hasText: site.origin }).waitFor();
    } finally {
      await site.stop();
    }
  });

  it("keep hours as they were typed, and refuse those that make no sense", async () => {
    await inboxPage("hours", "hours-week");
    await page.getByTestId("hours-week").check();
    await page.getByTestId("day-1-from-0").fill("22:00");
    await page.getByTestId("day-1-to-0").fill("22:00");
    await page.locator(".field-error").waitFor();
    assert.ok(await page.getByTestId("inbox-save").isDisabled());
    await page.getByTestId("day-1-to-0").fill("02:00");
    await checkAccess(page, "hours");
    await page.getByTestId("inbox-save").click();
    await saved();
    await page.reload();
    await page.getByTestId("day-1-to-0").waitFor();
    assert.deepEqual([await page.getByTestId("day-1-from-0").inputValue(), await page.getByTestId("day-1-to-0").inputValue()], ["22:00", "02:00"]);
    await page.getByTestId("hours-always").check();
    await page.getByTestId("inbox-save").click();
    await saved();
  });

  it("set a rule for one inbox and leave the account's as it is", async () => {
    await inboxPage("limits", "setting");
    const line = page.locator('[data-testid="setting"][data-name="session.rating"]');
    await line.getByRole("switch").uncheck();
    await line.getByText("set for this inbox").waitFor();
    await checkAccess(page, "rules of an inbox");
    await settings("limits", "setting");
    assert.ok(await line.getByRole("switch").isChecked(), "the account still asks for a rating");
  });

  it("make a secret for identities, show it once, and rotate it", async () => {
    await inboxPage("identity", "add-secret");
    await page.getByTestId("add-secret").click();
    const first = await page.getByTestId("new-secret").textContent();
    assert.ok(first.length >= 32);
    await page.keyboard.press("Escape");
    await page.getByTestId("add-secret").click();
    await page.getByTestId("new-secret").waitFor();
    assert.notEqual(await page.getByTestId("new-secret").textContent(), first);
    await page.keyboard.press("Escape");
    // The list is read again once the secret is made.
    await page.getByTestId("identity-secret").nth(1).waitFor();
    assert.equal(await page.getByTestId("identity-secret").count(), 2);
    assert.ok(await page.getByTestId("add-secret").isDisabled());
    await page.getByTestId("identity-secret").first().getByRole("button").click();
    await page.getByTestId("confirm-submit").click();
    await page.getByTestId("identity-secret").nth(1).waitFor({ state: "detached" });
    await page.getByTestId("identity-optional").check();
    await checkAccess(page, "identity");
    await page.getByTestId("inbox-save").click();
    await saved();
  });

  it("keep name and colour of a person, and what calls them", async () => {
    await settings("profile", "profile-name");
    await page.getByTestId("profile-name").fill("Ada");
    await page.getByTestId("hue-3").check({ force: true });
    await page.getByTestId("profile-save").click();
    await saved();
    await page.locator('[data-testid="presence-switch"] .hue-3').waitFor();
    await page.getByTestId("signal-sound").uncheck();
    await page.reload();
    await page.getByTestId("signal-sound").waitFor();
    assert.equal(await page.getByTestId("profile-name").inputValue(), "Ada");
    await page.locator('[data-testid="presence-switch"] .hue-3').waitFor();
    await page.locator('[data-testid="signal-sound"]:not(:checked)').waitFor();
    await checkAccess(page, "profile");
  });
});
