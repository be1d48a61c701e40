// A day of the demo in two minutes: visitors come and go seven hundred times as fast as in life while
// somebody works in the console, and no page complains.
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { Agent } from "../support/agent.mjs";
import { Person, end, launch } from "../support/browser.mjs";
import { FOR_FILLING } from "../support/fill.mjs";
import { Server } from "../support/server.mjs";
import { Visitor } from "../support/visitor.mjs";

const DAY_MS = 24 * 60 * 60 * 1_000;
const SPEED = 720;
/** Of those who come in a day; a busy machine lets fewer through. */
const CAME_MIN = 60;
const VIEWS = ["mine", "queue", "all", "closed"];

describe("a day of the demo", () => {
  let server, browser, lin, ann, agent, visitor, api;

  before(async () => {
    server = await Server.start({ life: true, flags: ["--demo-speed", String(SPEED)], env: FOR_FILLING });
    api = await server.api();
    browser = await launch();
    [lin, ann] = [await Person.arrive(browser), await Person.arrive(browser, { locale: "zh-CN" })];
    agent = await Agent.enter(await lin.page(), server.url, "supervisor");
    visitor = await Visitor.atShop(await ann.page(), server.url);
  });

  after(() => end(lin, ann, browser, server));

  const closed = async () => (await api("GET", "conversations?view=closed&limit=1")).counts.closed;

  it("passes in two minutes without a complaint, and stands still when it is told to", { timeout: 240_000 }, async (t) => {
    const { page } = agent;
    const before = await closed();
    const from = performance.now();
    const until = from + DAY_MS / SPEED;
    await visitor.say("我也在这里");
    // What this visitor says is for people: the bot would have the last word in the list otherwise.
    await visitor.chat.locator("button.person").click();
    let round = 0;
    for (; performance.now() < until; round++) {
      // Half of the day somebody is there, half of it the demo is by itself.
      if (round % 4 === 0) await agent.setPresence(round % 8 === 0 ? "away" : "online");
      await agent.view(VIEWS[round % VIEWS.length]);
      await page.getByTestId("conversation-row").first().or(page.locator(".empty")).first().waitFor();
      if ((await page.getByTestId("conversation-row").count()) > 0) {
        await page.keyboard.press("j");
        await page.getByTestId("timeline").waitFor();
        await page.keyboard.press("Escape");
        await page.keyboard.press("Escape");
      }
      if (round % VIEWS.length === 0) {
        await page.getByTestId("nav-waiting").click();
        await page.getByTestId("waiting-page").waitFor();
        await page.getByTestId("nav-inbox").click();
        await page.getByTestId("list-search").waitFor();
      }
    }
    const came = (await closed()) - before;
    t.diagnostic(`${came} sessions were closed within the day, ${round} times somebody looked at another list`);
    assert.ok(came >= CAME_MIN, `${came} came`);
    await page.getByTestId("demo-switch").click();
    await page.locator('[data-testid="demo-switch"][data-paused="true"]').waitFor();
    assert.equal((await api("GET", "demo")).paused, true);
    // The pages work as before.
    await visitor.say("还在吗");
    await visitor.allSent();
    await agent.view("all");
    await agent.row("还在吗").waitFor();
  });
});
