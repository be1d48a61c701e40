// A day of the demo's visitors at 720 times their speed, with a console open.
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { Agent } from "../support/agent.mjs";
import { end, launch, Person } from "../support/browser.mjs";
import { Server } from "../support/server.mjs";

const SPEED = 720;
const DAY_MS = (24 * 60 * 60 * 1_000) / SPEED;

describe("a day of visitors", () => {
  let server;
  let browser;
  before(async () => {
    [server, browser] = await Promise.all([Server.start({ life: true, flags: ["--demo-speed", String(SPEED)] }), launch()]);
  });
  after(() => end(browser, server));

  it("passes in two minutes without a complaint of the console", { timeout: 2 * DAY_MS }, async () => {
    const person = await Person.arrive(browser);
    const page = await person.page();
    const agent = await Agent.enter(page, server.url, "supervisor");
    const api = await server.api("supervisor");
    const began = Date.now();
    const ends = began + DAY_MS;
    while (Date.now() < ends) {
      // Somebody who is at work: looks through the lists, opens what is on top.
      for (const view of ["queue", "mine", "all", "closed"]) {
        await agent.view(view);
        const top = page.getByTestId("conversation-row").first();
        // Rows come and go while they are being looked at.
        await top.click({ timeout: 1_500 }).catch(() => undefined);
      }
    }
    const { rows } = await api("GET", "conversations?view=closed&limit=100");
    const came = rows.filter((row) => Number(row.session.closedAtMs) > began).length;
    assert.ok(came >= 50, `${came} of the hundred newest ends are of today`);
    assert.deepEqual((await api("GET", "waiting")).violations, []);
    await person.leave();
  });
});
