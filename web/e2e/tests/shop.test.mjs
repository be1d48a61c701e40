// The demo's shop with its widget and without: nothing moves, and hardly any work is added before the
// launcher is pressed.
import assert from "node:assert/strict";
import { after, afterEach, before, describe, it } from "node:test";
import { Person, end, launch } from "../support/browser.mjs";
import { Server } from "../support/server.mjs";
import { Visitor } from "../support/visitor.mjs";
import { shifts, watchShifts, work } from "../support/work.mjs";

const WORK_MS_MAX = 50;
/** With and without take turns. */
const ROUNDS = 5;
const LAUNCHER = "#frontdesk-launcher button";

describe("the shop", () => {
  let server, browser, people, url;

  before(async () => {
    server = await Server.start();
    browser = await launch();
    people = [];
    url = new URL("demo", server.url).href;
  });

  afterEach(async () => {
    const gone = people;
    people = [];
    await end(gone);
  });

  after(() => end(browser, server));

  async function arrive({ widget = true, ...options } = {}) {
    const person = await Person.arrive(browser, { reducedMotion: "no-preference", ...options });
    people.push(person);
    await watchShifts(person.context);
    // An empty script in its place: the shop is the same otherwise.
    if (!widget) await person.context.route("**/widget.js", (route) => route.fulfill({ contentType: "text/javascript", body: "" }));
    return person;
  }

  for (const [screen, viewport] of [
    ["on a desk", { width: 1440, height: 900 }],
    ["on a phone", { width: 390, height: 844 }],
  ]) {
    it(`moves nothing while it loads, is read and is asked, ${screen}`, async () => {
      const bare = await (await arrive({ widget: false, viewport })).page();
      await bare.goto(url, { waitUntil: "load" });
      assert.deepEqual(await shifts(bare), [], "without the widget");
      const page = await (await arrive({ viewport })).page();
      await page.goto(url, { waitUntil: "load" });
      await page.locator(LAUNCHER).waitFor();
      assert.deepEqual(await shifts(page), [], "with the widget");
      const visitor = new Visitor(page, page.frameLocator("#frontdesk-frame"));
      await visitor.launcher().click();
      await visitor.say("Does anything move?");
      await visitor.allSent();
      assert.deepEqual(await shifts(page), [], "with the chat open");
    });
  }

  it(`has less than ${WORK_MS_MAX} ms of work by the widget before the launcher is pressed`, async (t) => {
    const works = { without: [], with: [] };
    for (let round = 0; round < ROUNDS; round++) {
      works.without.push(await work(await arrive({ widget: false }), url, "main"));
      works.with.push(await work(await arrive(), url, LAUNCHER));
    }
    // The least of each: what else the machine does only ever adds.
    const added = Math.min(...works.with) - Math.min(...works.without);
    t.diagnostic(`${added.toFixed(1)} ms more with the widget`);
    assert.ok(added < WORK_MS_MAX, `${added.toFixed(1)} ms (${JSON.stringify(works)})`);
  });
});
