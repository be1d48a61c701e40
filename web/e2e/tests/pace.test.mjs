// Ten thousand rows and ten thousand messages: they scroll at sixty frames a second, and hold their
// place while messages arrive.
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { Agent } from "../support/agent.mjs";
import { Person, end, launch } from "../support/browser.mjs";
import { FOR_FILLING, Filler } from "../support/fill.mjs";
import { Listener, drawn, firstRow, framesOf, wheel } from "../support/frames.mjs";
import { Server } from "../support/server.mjs";

const ROWS = 10_000;
const MESSAGES = 10_000;
/** Sixty frames a second. */
const FRAME_MS_MAX = 17;
/** Rows are placed at fractions of a pixel. */
const SLACK_PX = 1.5;
/** Turns of the wheel that are recorded; a busy machine shows fewer of them as frames of their own. */
const TURNS = 150;
const MOVING_MIN = 60;
const TURNS_PER_NEWS = 4;
/** Messages that arrive while somebody reads. */
const ARRIVE = 24;

describe("ten thousand", () => {
  let server, browser, lin, agent, filler, visitors, talker, arrived;

  before(async () => {
    server = await Server.start({ env: FOR_FILLING });
    filler = await Filler.of(server);
    [talker] = await filler.conversations(1, () => "the first of many");
    await filler.all(MESSAGES - 1, (at) => filler.say(talker, `line ${at} ${"and more words ".repeat(at % 17)}`));
    visitors = await filler.conversations(ROWS - 1, (at) => `guest ${at} ${"has something to say ".repeat(at % 4)}`);
    browser = await launch();
    lin = await Person.arrive(browser);
    const page = await lin.page();
    arrived = new Listener(page);
    agent = await Agent.enter(page, server.url, "owner");
    await agent.view("all");
    await page.locator('[data-testid="view-all"] .count', { hasText: ROWS.toLocaleString("en") }).waitFor();
  });

  after(() => end(filler, lin, browser, server));

  /** Turns the wheel while visitors write, a message every few turns. */
  async function wheelWithNews(page, scroller, step, who) {
    const said = [];
    await wheel(page, scroller, TURNS, step, (turn) => {
      if (turn % TURNS_PER_NEWS === 0) said.push(filler.say(who(turn), `meanwhile ${turn}`));
      return true;
    });
    await Promise.all(said);
  }

  function smooth(frames, what) {
    assert.ok(frames.moving >= MOVING_MIN, `${what}: only ${frames.moving} frames moved`);
    assert.ok(frames.medianMs < FRAME_MS_MAX, `${what}: ${JSON.stringify(frames)}`);
  }

  it("rows of a list scroll at sixty frames a second, with and without news", async (t) => {
    const { page } = agent;
    const list = page.locator(".rows-scroller");
    const quiet = await framesOf(page, list, () => wheel(page, list, TURNS, 600));
    t.diagnostic(`list: ${JSON.stringify(quiet)}`);
    smooth(quiet, "list");
    const busy = await framesOf(page, list, () => wheelWithNews(page, list, 600, (turn) => visitors[(turn * 7919) % visitors.length]));
    t.diagnostic(`list with news: ${JSON.stringify(busy)}`);
    smooth(busy, "list with news");
  });

  it("rows of a list hold their place while messages arrive, far from the pointer too", async () => {
    const { page } = agent;
    const list = page.locator(".rows-scroller");
    await page.mouse.move(1, 1);
    const place = () => firstRow(list, '[data-testid="conversation-row"]', "conversation");
    const before = await place();
    const reading = new Set(await list.locator('[data-testid="conversation-row"]').evaluateAll((rows) => rows.map((row) => row.dataset.conversation)));
    const others = visitors.filter(({ conversation }) => !reading.has(conversation));
    const last = arrived.when(`elsewhere ${ARRIVE - 1}.`);
    for (let at = 0; at < ARRIVE; at++) await filler.say(others[Math.floor((others.length * at) / ARRIVE)], `elsewhere ${at}.`);
    await last;
    await drawn(page);
    const now = await place();
    assert.equal(now.name, before.name);
    assert.ok(Math.abs(now.top - before.top) < SLACK_PX, `moved from ${before.top} to ${now.top}`);
  });

  it("messages of a timeline, all of them loaded, scroll at sixty frames a second, with and without news", async (t) => {
    const { page } = agent;
    await page.getByTestId("list-search").fill("line ");
    await agent.open(/line/);
    await page.getByTestId("list-search").fill("");
    const timeline = page.getByTestId("timeline");
    await timeline.evaluate(toTheTop, "the first of many");
    await agent.message("the first of many").waitFor();
    const quiet = await framesOf(page, timeline, () => wheel(page, timeline, TURNS, 800));
    t.diagnostic(`timeline: ${JSON.stringify(quiet)}`);
    smooth(quiet, "timeline");
    const busy = await framesOf(page, timeline, () => wheelWithNews(page, timeline, -400, () => talker));
    t.diagnostic(`timeline with news: ${JSON.stringify(busy)}`);
    smooth(busy, "timeline with news");
  });

  it("messages of a timeline hold their place while more arrive", async () => {
    const { page } = agent;
    const timeline = page.getByTestId("timeline");
    const place = () => firstRow(timeline, '[data-testid="message"]', "seq");
    const before = await place();
    const last = arrived.when(`below ${ARRIVE - 1}.`);
    for (let at = 0; at < ARRIVE; at++) await filler.say(talker, `below ${at}.`);
    await last;
    await drawn(page);
    const now = await place();
    assert.equal(now.name, before.name);
    assert.ok(Math.abs(now.top - before.top) < SLACK_PX, `moved from ${before.top} to ${now.top}`);
    await page.getByTestId("jump-to-latest").click();
    await agent.message(`below ${ARRIVE - 1}.`).waitFor();
  });
});

/** In the page: up and up, until the message that says this has come in. */
async function toTheTop(timeline, words) {
  const lateAt = performance.now() + 60_000;
  while (![...timeline.querySelectorAll(".words")].some((one) => one.textContent === words)) {
    if (performance.now() > lateAt) throw new Error("the first message never came in");
    timeline.scrollTop = 0;
    await new Promise((resolve) => requestAnimationFrame(resolve));
  }
}
