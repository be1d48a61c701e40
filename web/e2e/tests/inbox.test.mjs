// Writing in the console, and being called back to it: mentions, emoji, canned replies in the middle of
// a text, quotes that lead back, drafts with all that belongs to them, what is known of a visitor, and
// signals that ring once for all tabs of an agent.
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { Agent } from "../support/agent.mjs";
import { Person, end, launch } from "../support/browser.mjs";
import { Crowd } from "../support/crowd.mjs";
import { picture } from "../support/picture.mjs";
import { Server } from "../support/server.mjs";

/** Enough lines that the first of them is several pages back. */
const LINES = 170;

describe("the inbox", () => {
  let server, browser, people, crowd, lin, mei, talker;

  before(async () => {
    server = await Server.start({ env: { FRONTDESK__LIMITS__VISITOR_BURST: "500" } });
    browser = await launch();
    people = [await Person.arrive(browser), await Person.arrive(browser, { locale: "zh-CN" }), await Person.arrive(browser)];
    const api = await server.api();
    await api("POST", "canned-replies", { shortcut: "发货", team: null, texts: { en: "It leaves today.", "zh-CN": "今天发出。" } });
    lin = await Agent.enter(await people[0].page(), server.url, "agent");
    mei = await Agent.enter(await people[1].page(), server.url, "supervisor");
    await mei.setPresence("away");
    crowd = await Crowd.gather(people[2], server.url, await server.inboxKey());
    talker = await crowd.join("The very first words");
    for (let line = 2; line <= LINES; line++) await crowd.say(talker, `line ${line}`);
    await lin.view("mine");
    await lin.open(`line ${LINES}`);
    await lin.message(`line ${LINES}`).waitFor();
  });

  after(() => end(people, browser, server));

  it("puts a canned reply in the middle of a text, found by its pinyin", async () => {
    await lin.input.fill("Good news! ");
    await lin.input.pressSequentially("/fahuo");
    await lin.page.locator('[data-testid="replies-menu"] [role="option"][aria-selected="true"]', { hasText: "发货" }).waitFor();
    await lin.input.press("Enter");
    assert.equal(await lin.input.inputValue(), "Good news! It leaves today.");
    await lin.input.press("Enter");
    await lin.message("Good news! It leaves today.").waitFor();
  });

  it("puts emoji by a colon, in both languages, and by hand", async () => {
    await lin.input.pressSequentially("Thanks :pray");
    await lin.page.getByTestId("emoji-menu").getByText("🙏").waitFor();
    await lin.input.press("Tab");
    assert.equal(await lin.input.inputValue(), "Thanks 🙏");
    await lin.input.pressSequentially(" ：jiayou");
    await lin.page.getByTestId("emoji-menu").getByText("💪").waitFor();
    await lin.input.press("Enter");
    await lin.page.getByTestId("composer-emoji").click();
    await lin.page.getByTestId("emoji-search").fill("parcel");
    await lin.page.getByTestId("emoji-search").press("Enter");
    assert.equal(await lin.input.inputValue(), "Thanks 🙏 💪📦");
    // Times and addresses ask for nothing.
    await lin.input.fill("");
    await lin.input.pressSequentially("at 12:30, https://example.com/");
    assert.equal(await lin.page.locator('[role="listbox"]').count(), 0);
    await lin.input.fill("");
  });

  it("mentions a colleague, who finds the conversation and reads who was meant", async () => {
    await lin.page.getByTestId("mode-note").click();
    await lin.input.pressSequentially("@mei");
    await lin.page.locator('[data-testid="mentions-menu"] [role="option"]', { hasText: "Mei" }).waitFor();
    await lin.input.press("Enter");
    await lin.input.pressSequentially("please have a look");
    await lin.input.press("Enter");
    await lin.page.getByTestId("mention").filter({ hasText: "@Mei" }).waitFor();
    await mei.view("mentions");
    await mei.page.getByTestId("row-mentioned").waitFor();
    await mei.page.getByTestId("conversation-row").filter({ has: mei.page.getByTestId("row-mentioned") }).click();
    await mei.page.locator(".mention-me", { hasText: "@Mei" }).waitFor();
    // A colleague's name in Chinese is found by its reading.
    await mei.input.pressSequentially("@lin");
    await mei.page.locator('[data-testid="mentions-menu"] [role="option"]', { hasText: "林" }).waitFor();
    await mei.input.fill("");
    // Read, it is no news any more; the view goes with it, once it is left.
    await mei.page.getByTestId("row-mentioned").waitFor({ state: "detached" });
    await mei.view("all");
    await mei.page.getByTestId("view-mentions").waitFor({ state: "detached" });
  });

  it("tells who may know it whom a note brings in, and the note does", async () => {
    const api = await server.api();
    const agent = (await api("GET", "roles")).roles.find((role) => role.builtin === "agent").id;
    await api("POST", "users", { display_name: "Ada Stein", email: "ada@demo.example", password: "correct horse battery staple 42", role: agent, teams: [], language: "en" });
    const owner = await Person.arrive(browser);
    people.push(owner);
    const boss = await Agent.enter(await owner.page(), server.url, "owner");
    await boss.setPresence("away");
    await boss.page.goto(`${server.url}#/inbox/all/${lin.conversation()}`);
    await boss.page.getByTestId("mode-note").click();
    await boss.input.pressSequentially("@");
    const menu = boss.page.getByTestId("mentions-menu");
    await menu.getByTestId("mention-joins").waitFor();
    // Neither who has it nor who may read it anyway.
    assert.deepEqual(await menu.getByRole("option").filter({ has: boss.page.getByTestId("mention-joins") }).locator(".suggest-name").allTextContents(), ["Ada Stein"]);
    assert.ok((await menu.getByRole("option").count()) >= 3, "everybody is offered");
    await boss.input.pressSequentially("ada");
    await boss.input.press("Enter");
    await boss.input.pressSequentially("you know this kiln");
    await boss.input.press("Enter");
    await boss.page.getByTestId("mention").filter({ hasText: "@Ada Stein" }).waitFor();
    await boss.systemLine("Ada Stein").waitFor();
    await boss.page.getByTestId("mode-note").click();
    await boss.input.pressSequentially("@ada");
    await menu.getByRole("option", { name: "Ada Stein" }).waitFor();
    assert.equal(await menu.getByTestId("mention-joins").count(), 0, "she takes part already");
    // An agent is told nothing of what colleagues may do, and is offered the same people.
    await lin.page.getByTestId("mode-note").click();
    await lin.input.pressSequentially("@");
    await lin.page.getByTestId("mentions-menu").getByRole("option").first().waitFor();
    assert.equal(await lin.page.getByTestId("mention-joins").count(), 0);
    await lin.input.fill("");
    await lin.page.getByTestId("mode-reply").click();
    await owner.leave();
    people.pop();
  });

  it("leads from a quote to what it quotes, however far back that is", async () => {
    const { page } = lin;
    await page.getByTestId("jump-to-latest").waitFor({ state: "detached" });
    const api = await server.api("agent");
    await api("POST", `conversations/${lin.conversation()}/messages`, { text: "As you said first", quote_seq: 1 });
    await lin.message("As you said first").waitFor();
    await page.getByTestId("quote").filter({ hasText: "The very first words" }).click();
    const first = lin.message("The very first words").filter({ hasNot: page.getByTestId("quote") });
    await first.waitFor();
    await page.waitForFunction((words) => {
      const timeline = document.querySelector('[data-testid="timeline"]').getBoundingClientRect();
      return [...document.querySelectorAll('[data-testid="message"][data-seq="1"]')].some((message) => {
        const box = message.getBoundingClientRect();
        return message.textContent.includes(words) && box.top >= timeline.top && box.bottom <= timeline.bottom;
      });
    }, "The very first words");
    await page.getByTestId("jump-to-latest").click();
    await lin.message("As you said first").waitFor();
  });

  it("keeps a quote, a file and a note over a reload", async () => {
    const { page } = lin;
    const image = await picture(page, 320, 200, "#2f6f5f");
    await lin.message("As you said first").hover();
    await lin.message("As you said first").getByTestId("quote-button").click();
    await page.getByTestId("mode-note").click();
    await page.getByTestId("composer-file").setInputFiles({ name: "tea.png", mimeType: "image/png", buffer: image });
    await page.locator('[data-testid="attachment"][data-state="stored"]').waitFor();
    await lin.input.fill("");
    await page.reload();
    await page.getByTestId("composer-quote").filter({ hasText: "As you said first" }).waitFor();
    await page.locator('[data-testid="attachment"][data-state="stored"]', { hasText: "tea.png" }).waitFor();
    await page.locator('[data-testid="composer"][data-mode="note"]').waitFor();
    await page.getByTestId("composer-send").click();
    // The file is a note and carries the quote.
    const note = page.locator('[data-testid="message"][data-kind="note"]', { has: page.locator("img") });
    await note.getByTestId("quote").filter({ hasText: "As you said first" }).waitFor();
  });

  it("goes on with an upload while another conversation is open", async () => {
    const { page } = lin;
    const other = "Another question";
    await crowd.join(other);
    await lin.row(other).waitFor();
    const here = lin.conversation();
    const chip = (state) => page.locator(`[data-testid="attachment"][data-state="${state}"]`, { hasText: "cup.png" });
    let goOn;
    const held = new Promise((resolve) => (goOn = resolve));
    await page.route(/\/uploads\?/, async (route) => {
      await held;
      await route.continue();
    });
    await page.getByTestId("composer-file").setInputFiles({ name: "cup.png", mimeType: "image/png", buffer: await picture(page, 300, 200, "#2f6b55") });
    await chip("uploading").waitFor();
    await lin.open(other);
    await page.getByTestId("attachment").waitFor({ state: "detached" });
    await page.goto(`${server.url}#/inbox/mine/${here}`);
    await chip("uploading").waitFor();
    await lin.open(other);
    await page.getByTestId("attachment").waitFor({ state: "detached" });
    const stored = page.waitForResponse(/\/uploads\?/);
    goOn();
    assert.equal((await stored).status(), 201);
    await page.unroute(/\/uploads\?/);
    await page.goto(`${server.url}#/inbox/mine/${here}`);
    await chip("stored").waitFor();
    await page.getByTestId("composer-send").click();
    await page.locator('[data-testid="message"] .picture img[alt="cup.png"]').waitFor();
  });

  it("asks before a message is taken back", async () => {
    const { page } = lin;
    await lin.say("Too early");
    await lin.marked("Too early", "sent").or(lin.marked("Too early", "delivered")).or(lin.marked("Too early", "read")).first().waitFor();
    await lin.message("Too early").hover();
    await lin.message("Too early").getByTestId("retract-button").click();
    await page.getByTestId("confirm-dialog").getByRole("button", { name: "Cancel" }).click();
    await lin.message("Too early").waitFor();
    await lin.message("Too early").getByTestId("retract-button").click();
    await page.getByTestId("confirm-submit").click();
    await lin.message("Too early").waitFor({ state: "detached" });
    await lin.message("Message taken back").last().waitFor();
  });

  it("learns who the visitor is, where it stands, for everybody", async () => {
    const { page } = lin;
    await page.getByTestId("contact-name").click();
    await page.getByTestId("contact-name-input").fill("Ada Byron");
    await page.getByTestId("contact-name-input").press("Enter");
    await page.getByTestId("contact-email").click();
    await page.getByTestId("contact-email-input").fill("ada@example.com");
    await page.getByTestId("contact-email-save").click();
    await page.getByTestId("contact-email").filter({ hasText: "ada@example.com" }).waitFor();
    await page.getByTestId("chat-title").filter({ hasText: "Ada Byron" }).waitFor();
    await mei.row("Ada Byron").waitFor();
    // What is no address is refused at its field, and nothing is lost.
    await page.getByTestId("contact-email").click();
    await page.getByTestId("contact-email-input").fill("no address");
    people[0].expect(/status of 4\d\d.*\/contact$/);
    await page.getByTestId("contact-email-input").press("Enter");
    await page.getByTestId("contact").getByRole("alert").waitFor();
    await page.getByTestId("contact-email-input").press("Escape");
    await page.getByTestId("contact-email").filter({ hasText: "ada@example.com" }).waitFor();
  });
});

describe("an agent with two tabs", () => {
  let server, browser, people, crowd, tabs;

  before(async () => {
    server = await Server.start();
    browser = await launch();
    people = [await Person.arrive(browser, { permissions: ["notifications"] }), await Person.arrive(browser)];
    // Notifications are written down, for every tab of the profile.
    await people[0].context.addInitScript(() => {
      window.shown = [];
      window.Notification = class {
        static permission = "granted";
        static requestPermission = () => Promise.resolve("granted");
        constructor(title, options) {
          window.shown.push(`${title}: ${options.body}`);
        }
        close() {}
      };
      window.tones = 0;
      const begin = window.OscillatorNode.prototype.start;
      window.OscillatorNode.prototype.start = function (...values) {
        window.tones += 1;
        return begin.apply(this, values);
      };
      // Nobody is at the tabs: as behind another window.
      document.hasFocus = () => false;
    });
    const first = await people[0].page();
    await Agent.enter(first, server.url, "agent");
    const second = await people[0].page();
    await second.goto(first.url());
    await second.getByTestId("presence-switch").waitFor();
    tabs = [first, second];
    crowd = await Crowd.gather(people[1], server.url, await server.inboxKey());
  });

  after(() => end(people, browser, server));

  const rung = async () => (await Promise.all(tabs.map((tab) => tab.evaluate(() => window.shown)))).flat();

  const tones = () => Promise.all(tabs.map((tab) => tab.evaluate(() => window.tones)));

  /** Whatever the tabs claim of what they have drawn is decided. */
  const claimed = async () => {
    for (const tab of tabs) {
      await tab.waitForFunction(async () => {
        const { held, pending } = await navigator.locks.query();
        return [...held, ...pending].every((lock) => !lock.name.startsWith("frontdesk/rang/"));
      });
    }
  };

  /** The visitor says them one after the other; how many tones each tab made of it. */
  const hear = async (visitor, texts) => {
    const before = await tones();
    for (const text of texts) {
      await crowd.say(visitor, text);
      for (const tab of tabs) await new Agent(tab).row(text).waitFor();
    }
    await claimed();
    return (await tones()).map((count, at) => count - before[at]);
  };

  it("is called once, and sees the count in both titles and icons", async () => {
    await crowd.join("Is anybody there?");
    for (const tab of tabs) {
      await tab.waitForFunction(() => document.title.startsWith("(1)"));
      await tab.waitForFunction(() => document.querySelector('link[rel="icon"]').href.startsWith("data:image/png"));
    }
    // Both tabs have the row by now.
    await claimed();
    const all = await rung();
    assert.ok(all.length >= 1 && new Set(all).size === all.length, `each once: ${JSON.stringify(all)}`);
    assert.ok(all.every((line) => line.endsWith(": Is anybody there?")), JSON.stringify(all));
  });

  it("hears one sound over both tabs, from one that the browser lets sound", async () => {
    const visitor = await crowd.join("Do you hear me?");
    for (const tab of tabs) {
      await new Agent(tab).view("mine");
      await new Agent(tab).row("Do you hear me?").waitFor();
    }
    await claimed();
    const [first, second] = await hear(visitor, ["And now?", "And again?", "Still there?", "Hello?"]);
    assert.equal(first + second, 8, `two tones make a sound: ${first} and ${second}`);
    // Nothing was done in this tab since it came: it is silent, and takes no sound from the other.
    await tabs[1].reload();
    await new Agent(tabs[1]).row("Hello?").waitFor();
    assert.deepEqual(await hear(visitor, ["One.", "Two.", "Three.", "Four."]), [8, 0]);
  });
});
