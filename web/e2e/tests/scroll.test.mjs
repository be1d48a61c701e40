// What somebody looks at stays where it is while messages arrive.
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { Agent } from "../support/agent.mjs";
import { Person, end, launch } from "../support/browser.mjs";
import { Crowd } from "../support/crowd.mjs";
import { Server } from "../support/server.mjs";
import { Visitor } from "../support/visitor.mjs";

const MESSAGES = 60;
/** Rows are placed at fractions of a pixel. */
const SLACK_PX = 1.5;
const STILL_FRAMES = 20;
/** More than a window draws at once, and several pages. */
const LONG = 260;
/** So many older ones follow the first, at least. */
const LONG_PAGES = 4;
/** From so many places, to the end each time. */
const JUMPS = 40;

describe("while messages arrive", () => {
  let server, browser, people, crowd, agent, talker;

  before(async () => {
    server = await Server.start({ env: { FRONTDESK__LIMITS__VISITOR_BURST: "500" } });
    browser = await launch();
    people = [await Person.arrive(browser), await Person.arrive(browser)];
    crowd = await Crowd.gather(people[0], server.url, await server.inboxKey());
    agent = await Agent.enter(await people[1].page(), server.url, "owner");
    talker = await crowd.join("line 1");
    for (let line = 2; line <= MESSAGES; line++) await crowd.say(talker, `line ${line}${" and more words".repeat(line % 7)}`);
  });

  after(() => end(people, browser, server));

  it("the console's timeline stays, counts what is new, and goes to the end when asked", async () => {
    const { page } = agent;
    await agent.view("all");
    await agent.open(`line ${MESSAGES}`);
    await agent.message(`line ${MESSAGES}`).waitFor();
    const timeline = page.getByTestId("timeline");
    await wheelUp(page, timeline, 900);
    await page.getByTestId("jump-to-latest").waitFor();
    const place = () => firstVisible(timeline, '[data-testid="message"]');
    const before = await place();
    for (let line = 1; line <= 3; line++) await crowd.say(talker, `meanwhile ${line}`);
    await page.getByTestId("jump-to-latest").filter({ hasText: "3" }).waitFor();
    const now = await place();
    assert.equal(now.text, before.text);
    assert.ok(Math.abs(now.top - before.top) < SLACK_PX, `moved from ${before.top} to ${now.top}`);
    // Older lines come in above without moving anything, up to the very first.
    await wheelUp(page, timeline, 9_000, 600);
    await agent.message(/line 1(?!\d)/).first().waitFor();
    await page.getByTestId("jump-to-latest").click();
    await agent.message("meanwhile 3").waitFor();
  });

  it("the widget's timeline stays", async () => {
    const visitor = await Visitor.alone(await people[0].page(), server.url, await server.inboxKey());
    await visitor.say("a page of my own");
    await agent.view("all");
    await agent.open("a page of my own");
    await agent.message("a page of my own").waitFor();
    for (let line = 1; line <= 30; line++) await agent.say(`answer ${line}`);
    await visitor.message("answer 30").waitFor();
    const scroller = visitor.chat.locator(".scroller");
    await wheelUp(visitor.page, scroller, 600);
    await visitor.chat.locator(".latest").waitFor();
    const before = await firstVisible(scroller, ".message");
    await agent.say("answer 31");
    await visitor.chat.locator(".latest b").waitFor();
    const now = await firstVisible(scroller, ".message");
    assert.equal(now.text, before.text);
    assert.ok(Math.abs(now.top - before.top) < SLACK_PX, `moved from ${before.top} to ${now.top}`);
  });

  it("the widget stays at its end when its window changes size", async () => {
    const visitor = await Visitor.atShop(await people[0].page(), server.url);
    await visitor.message("answer 31").waitFor();
    for (const [width, height] of [
      [390, 844],
      [390, 420],
      [1440, 900],
    ]) {
      await visitor.page.setViewportSize({ width, height });
      await visitor.page.evaluate(() => new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve))));
      await visitor.message("answer 31").waitFor();
      assert.ok(await visitor.chat.locator(".scroller").evaluate((box) => box.scrollHeight - box.scrollTop - box.clientHeight < 2), `at the end at ${width} x ${height}`);
    }
    await visitor.page.close();
  });

  it("the list does not move under the pointer", async () => {
    const { page } = agent;
    const others = [];
    for (let number = 1; number <= 4; number++) others.push(await crowd.join(`guest ${number}`));
    await agent.view("all");
    await agent.row("guest 4").waitFor();
    const row = agent.row("guest 2");
    const box = await row.boundingBox();
    await page.mouse.move(box.x + 100, box.y + box.height / 2);
    const conversation = await row.getAttribute("data-conversation");
    for (const [at, other] of others.entries()) await crowd.say(other, `again ${at + 1}`);
    await agent.row("again 1").waitFor();
    await agent.row("again 4").waitFor();
    const under = await page.evaluate(([x, y]) => document.elementFromPoint(x, y).closest("[data-conversation]")?.dataset.conversation, [box.x + 100, box.y + box.height / 2]);
    assert.equal(under, conversation);
  });

  it("a long history comes in above the widget's very first row without moving anything", async () => {
    const visitor = await Visitor.alone(await people[0].page(), server.url, await server.inboxKey());
    await visitor.message("answer 31").waitFor();
    await agent.view("all");
    await agent.open("answer 31");
    const api = await server.api();
    const conversation = agent.conversation();
    // In order, so that a message is known by what it says.
    for (let at = 0; at < LONG; at++) await api("POST", `conversations/${conversation}/messages`, { text: `history ${at}.${" and more words".repeat(at % 23)}` });
    await visitor.page.reload();
    await visitor.message(`history ${LONG - 1}.`).waitFor();
    const scroller = visitor.chat.locator(".scroller");
    const pages = [];
    for (let page = 0; page < LONG_PAGES; page++) pages.push(await scroller.evaluate(olderMoves, { row: "[data-row]:not([data-loose])", key: "row" }));
    assert.deepEqual(pages.filter((moved) => Math.abs(moved) > SLACK_PX), [], `moved by ${pages}`);
    await visitor.page.close();
  });

  it("a long history comes in above the console's very first row without moving anything", async () => {
    const { page } = agent;
    await page.reload();
    await agent.message(`history ${LONG - 1}.`).waitFor();
    const timeline = page.getByTestId("timeline");
    const pages = [];
    // The words: the first row's head goes when it becomes one of a group.
    for (let older = 0; older < LONG_PAGES; older++) pages.push(await timeline.evaluate(olderMoves, { row: '[data-testid="message"]', key: "seq", mark: ".bubble" }));
    assert.deepEqual(pages.filter((moved) => Math.abs(moved) > SLACK_PX), [], `moved by ${pages}`);
  });

  it("the console is at the end of a long history as soon as it is asked, from wherever", async () => {
    const { page } = agent;
    const timeline = page.getByTestId("timeline");
    for (const reducedMotion of ["reduce", "no-preference"]) {
      await page.emulateMedia({ reducedMotion });
      const left = await timeline.evaluate(jumps, JUMPS);
      assert.deepEqual(left.filter((px) => px > SLACK_PX), [], `with motion "${reducedMotion}" this was left: ${left}`);
      await agent.message(`history ${LONG - 1}.`).waitFor();
    }
    await page.emulateMedia({ reducedMotion: "reduce" });
  });
});

/** Turns the wheel as a hand does, in steps, until the page has gone that far or cannot. */
async function wheelUp(page, scroller, px, step = 150) {
  const box = await scroller.boundingBox();
  await page.mouse.move(box.x + box.width / 2, box.y + box.height / 2);
  for (let gone = 0; gone < px; gone += step) {
    await page.mouse.wheel(0, -step);
    await page.evaluate(() => new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve))));
  }
  await scroller.evaluate(comesToRest, STILL_FRAMES);
}

/** In the page: done once the scroller has not moved for so many frames. The wheel's effect comes later than its event. */
function comesToRest(element, frames) {
  return new Promise((resolve) => {
    let still = 0;
    let top = element.scrollTop;
    const look = () => {
      still = element.scrollTop === top ? still + 1 : 0;
      top = element.scrollTop;
      if (still >= frames) resolve();
      else requestAnimationFrame(look);
    };
    look();
  });
}

/** In the page: goes to the very top, and says how far what stood there moved when older rows had come in. */
async function olderMoves(box, { row, key: name, mark }) {
  const frame = () => new Promise((resolve) => requestAnimationFrame(resolve));
  const lateAt = performance.now() + 10_000;
  const rows = () => [...box.querySelectorAll(row)];
  const topOf = (one) => (mark === undefined ? one : one.querySelector(mark)).getBoundingClientRect().top;
  let first = rows()[0];
  let key = first.dataset[name];
  let top = topOf(first);
  for (let older = false; !older; ) {
    if (performance.now() > lateAt) throw new Error(`nothing came in above ${key}`);
    box.scrollTop = 0;
    await frame();
    const found = rows().find((one) => one.dataset[name] === key);
    older = found !== undefined && found !== rows()[0];
    // Rows that were never drawn come in as well while the top is not reached.
    if (older && box.scrollTop < box.clientHeight) older = false;
    if (!older) {
      first = rows()[0];
      key = first.dataset[name];
      top = topOf(first);
    }
  }
  await frame();
  await frame();
  const now = rows().find((one) => one.dataset[name] === key);
  return now === undefined ? Infinity : topOf(now) - top;
}

/** In the page: from many places to the end; says how much was left each time, at once and two frames later. */
async function jumps(box, count) {
  const frame = () => new Promise((resolve) => requestAnimationFrame(resolve));
  const rest = () => box.scrollHeight - box.scrollTop - box.clientHeight;
  const drawn = async (holds) => {
    const lateAt = performance.now() + 10_000;
    while (!holds()) {
      if (performance.now() > lateAt) throw new Error("the button to the end did not come or go");
      await frame();
    }
  };
  const button = () => box.parentElement.querySelector('[data-testid="jump-to-latest"]');
  const left = [];
  for (let jump = 0; jump < count; jump++) {
    await drawn(() => {
      // Anew each time: what is far above may have gone since.
      box.scrollTop = ((box.scrollHeight - 4 * box.clientHeight) * jump) / count;
      return button() !== null;
    });
    await frame();
    button().click();
    // Drawn in microtasks: what the next frame shows has to be right already.
    const channel = new MessageChannel();
    await new Promise((resolve) => {
      channel.port1.onmessage = resolve;
      channel.port2.postMessage(undefined);
    });
    const atOnce = rest();
    await drawn(() => button() === null);
    await frame();
    left.push(atOnce, rest());
  }
  return left;
}

function firstVisible(scroller, selector) {
  return scroller.evaluate((element, of) => {
    const edge = element.getBoundingClientRect().top;
    for (const row of element.querySelectorAll(of)) {
      const place = row.getBoundingClientRect();
      if (place.top >= edge) return { text: row.textContent, top: place.top - edge };
    }
    throw new Error("nothing is visible");
  }, selector);
}
