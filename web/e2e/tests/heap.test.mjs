// A console tab that stays open does not grow with the messages that go by.
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { Agent } from "../support/agent.mjs";
import { Person, end, launch } from "../support/browser.mjs";
import { FOR_FILLING, Filler } from "../support/fill.mjs";
import { drawn } from "../support/frames.mjs";
import { Server } from "../support/server.mjs";

/** The heap is looked at from so many live messages on, and again up to so many. */
const LIVE_FIRST = 200;
const LIVE_LAST = 2_000;
/** Then the page has to have drawn them. */
const AT_A_TIME = 50;
const HEAP_GROWS_MAX = 1.05;
/** What the page needs for a moment (a third of a megabyte, for one or two hundred messages) is not kept: the least of so many looks counts. */
const LOOKS = 9;
/** Compiled code is nobody's message: it comes with the first minutes, whatever goes by. */
const WITHOUT_COMPILERS = "--js-flags=--no-opt,--no-maglev,--no-sparkplug";

describe("a tab that stays open", () => {
  let server, browser, lin, agent, filler, talker;

  before(async () => {
    server = await Server.start({ env: FOR_FILLING });
    filler = await Filler.of(server);
    [talker] = await filler.conversations(1, () => "hello");
    browser = await launch(WITHOUT_COMPILERS);
    lin = await Person.arrive(browser);
    agent = await Agent.enter(await lin.page(), server.url, "owner");
    await agent.view("all");
    await agent.open("hello");
  });

  after(() => end(filler, lin, browser, server));

  it("holds as much after two thousand messages as after two hundred", async (t) => {
    const { page } = agent;
    const devtools = await page.context().newCDPSession(page);
    await devtools.send("HeapProfiler.enable");
    const heap = async () => {
      // What only a collection lets go may need another to be gone.
      for (let round = 0; round < 3; round++) await devtools.send("HeapProfiler.collectGarbage");
      return (await devtools.send("Runtime.getHeapUsage")).usedSize;
    };
    let said = 0;
    const until = async (count) => {
      while (said < count) {
        for (const stop = said + AT_A_TIME; said < stop; said++) await filler.say(talker, `live ${said}. ${"and what one says in a chat ".repeat(said % 6)}`);
        await agent.message(`live ${said - 1}.`).waitFor();
      }
      await drawn(page);
    };
    const least = async (from) => {
      const looks = [];
      for (let look = 0; look < LOOKS; look++) {
        await until(from + look * AT_A_TIME);
        looks.push(await heap());
      }
      return Math.min(...looks);
    };
    const first = await least(LIVE_FIRST);
    const last = await least(LIVE_LAST - (LOOKS - 1) * AT_A_TIME);
    t.diagnostic(`heap: ${first} bytes after ${LIVE_FIRST} messages, ${last} after ${LIVE_LAST}`);
    assert.ok(last < first * HEAP_GROWS_MAX, `${first} grew to ${last}`);
  });
});
