// Hostile text in every place somebody can fill, drawn in every view that shows it: it stays text.
// Nothing runs, nothing is asked from elsewhere, no element comes of it, and readers see it as it is.
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { after, before, describe, it } from "node:test";
import { Agent } from "../support/agent.mjs";
import { Person, end, launch } from "../support/browser.mjs";
import { Crowd } from "../support/crowd.mjs";
import { PAYLOADS, packed, withoutControls } from "../support/payloads.mjs";
import { Server, storedTexts } from "../support/server.mjs";
import { Visitor } from "../support/visitor.mjs";
import { Watch, strangeThings } from "../support/watch.mjs";

/** Far more than people write, so that no limit is in the way. */
const LIMITS = Object.fromEntries(
  ["VISITOR_RATE_PER_S", "VISITOR_BURST", "AGENT_RATE_PER_S", "AGENT_BURST", "IP_RATE_PER_S", "IP_BURST", "HTTP_PER_ADDRESS_PER_MINUTE", "HTTP_PER_CALLER_PER_MINUTE", "HTTP_PER_ACCOUNT_PER_MINUTE"].map((name) => [`FRONTDESK__LIMITS__${name}`, "100000"]),
);
/** Requests at a time. */
const AT_ONCE = 8;
const TALL = { width: 1440, height: 24_000 };
const WIDE = { width: 1440, height: 1_000 };
/** Login sessions a user may have, less the one that looks. */
const SESSIONS = 45;
/** Replies the composer offers at a time. */
const OFFERED = 8;

// What the server keeps of a name, of a longer text, of a draft, of a comment, of a label.
const NAMES = packed(100, 256, withoutControls);
const TEXTS = packed(4_000, 4_096, withoutControls);
const COMMENTS = packed(2_000, 2_048, withoutControls);
// Of a path only the end is a name.
const FILES = packed(150, 170, (payload) => (/[/\\]/.test(payload) ? "" : withoutControls(payload)));
const LABELS = [...new Set(packed(60, 64, withoutControls))];
const SHORTCUTS = [...new Set(PAYLOADS.map((payload) => [...withoutControls(payload).toLowerCase().replace(/\s/g, "").replace(/^\/+/, "")].slice(0, 40).join("")))];

describe("hostile text", () => {
  let server, browser, api, inbox, inboxKey, ann, lin, watches, visitor, own, token, agent, crowd, teams, talks;

  before(async () => {
    server = await Server.start({ env: LIMITS });
    browser = await launch();
    [ann, lin] = [await Person.arrive(browser), await Person.arrive(browser)];
    watches = new Map([
      [ann.context, await Watch.over(ann.context, server.address)],
      [lin.context, await Watch.over(lin.context, server.address)],
    ]);
    api = await server.api();
    inboxKey = await server.inboxKey();
    const { inboxes } = await api("GET", "inboxes");
    inbox = inboxes[0].id;
    // Nothing is given to anybody: every conversation stays where the test puts it.
    await api("PATCH", `inboxes/${inbox}`, { routing: "manual" });
    const me = await api("GET", "me");
    // Somebody of each team is there, or its queue would not be named.
    teams = await all(PAYLOADS, async (payload) => (await api("POST", "teams", { names: { en: nameOf(payload) }, members: [me.id] })).id);
    agent = await Agent.enter(await lin.page(), server.url, "owner");
    await agent.setPresence("online");
    visitor = await Visitor.alone(await ann.page(), server.url, inboxKey);
    await visitor.say("hello");
    await visitor.allSent();
    token = await visitor.page.evaluate((key) => localStorage.getItem(`frontdesk/visitor/${key}/visitor`), inboxKey);
    own = (await api("GET", "conversations?view=open")).rows[0].conversation;
    crowd = await Crowd.gather(ann, server.url, inboxKey);
  });

  after(() => end(ann, lin, browser, server));

  const seen = (page, view) => watches.get(page.context()).check(page, view);

  /** As a program of the visitor's own would ask: every field says what it likes, and so does the header. */
  async function ticket(payload) {
    const answer = await fetch(new URL("api/v1/tickets", server.url), {
      method: "POST",
      headers: { "content-type": "application/json", "user-agent": header(payload) },
      body: JSON.stringify({ kind: "visitor", inbox_key: inboxKey, language: payload, page: payload, referrer: payload }),
    });
    const body = await answer.json();
    assert.ok(answer.ok, `${payload}: ${JSON.stringify(body)}`);
    return body;
  }

  /** As a visitor, by its token. */
  async function asVisitor(visitorToken, path, body, type = "application/json") {
    const answer = await fetch(new URL(`api/v1/conversations/${path}`, server.url), { method: "POST", headers: { authorization: `Visitor ${visitorToken}`, "content-type": type }, body });
    const text = await answer.text();
    assert.ok(answer.ok, `${path}: ${answer.status} ${text}`);
    return text === "" ? undefined : JSON.parse(text);
  }

  it("would do all that if a page took it for more", async () => {
    const victim = await browser.newContext();
    const watch = await Watch.over(victim, "victim.example");
    await victim.route("**", (route) => route.fulfill(route.request().url() === "http://victim.example/" ? { contentType: "text/html", body: "<!doctype html><body></body>" } : { status: 204 }));
    const page = await victim.newPage();
    await page.goto("http://victim.example/");
    const elements = await page.evaluate(
      async ([payloads, audit]) => {
        const strange = new Function(`return (${audit})`)();
        let count = 0;
        for (const payload of payloads) {
          const box = document.body.appendChild(document.createElement("div"));
          box.innerHTML = payload;
          if (strange({ elements: ["html", "head", "body", "div", "p", "b"], drawn: [], host: location.host }).length > 0) count += 1;
          await new Promise((resolve) => setTimeout(resolve));
          box.remove();
        }
        return count;
      },
      [PAYLOADS, strangeThings.toString()],
    );
    await victim.close();
    const ran = watch.seen.filter((what) => what.startsWith("a script ran")).length;
    const asked = watch.seen.filter((what) => what.startsWith("asked")).length;
    assert.ok(PAYLOADS.length >= 200 && new Set(PAYLOADS).size === PAYLOADS.length);
    assert.ok(elements >= 150 && ran >= 20 && asked >= 5, `${elements} make elements, ${ran} run by themselves, ${asked} ask`);
  });

  it("is policed by types in every page", async () => {
    const ida = (await Person.arrive(browser)).expect(/TrustedHTML|require-trusted-types-for/);
    const page = await ida.page();
    for (const path of ["", `c/${inboxKey}`, `widget/${inboxKey}`]) {
      const answer = await page.goto(new URL(path, server.url).href);
      const headers = answer.headers();
      assert.match(headers["content-security-policy"], /require-trusted-types-for 'script'; trusted-types 'none'/, path);
      assert.doesNotMatch(headers["content-security-policy"], /unsafe/, path);
      assert.equal(headers["x-content-type-options"], "nosniff", path);
      const violated = await page.evaluate(async () => {
        const told = new Promise((resolve) => document.addEventListener("securitypolicyviolation", (event) => resolve(event.violatedDirective), { once: true }));
        try {
          document.createElement("div").innerHTML = "<b>x</b>";
        } catch {
          return told;
        }
        return "nothing";
      });
      assert.equal(violated, "require-trusted-types-for", path);
    }
    await ida.leave();
  });

  it("comes in from everybody", async () => {
    const tickets = await all(PAYLOADS, ticket);
    const conversations = await crowd.arrive(tickets.map(({ ticket: one, conversation_id: conversation }, at) => ({ ticket: one, conversation, text: PAYLOADS[at], client: cut(PAYLOADS[at], 64) })));
    talks = conversations.map((id, at) => ({ id, token: tickets[at].visitor_token, payload: PAYLOADS[at], team: teams[at] }));
    const handOn = (talk) => api("POST", `conversations/${talk.id}/commands`, { command: "transfer", to_team: talk.team, note: talk.payload });
    const answer = async ({ payload }) => {
      await asVisitor(token, `${own}/messages`, JSON.stringify({ text: payload }));
      await api("POST", `conversations/${own}/messages`, { text: payload });
    };
    await all(FILES, async (name) => {
      const file = await asVisitor(token, `${own}/uploads?name=${encodeURIComponent(name)}`, "words", "application/octet-stream");
      await asVisitor(token, `${own}/messages`, JSON.stringify({ file: file.id }));
    });
    await api("POST", `conversations/${own}/commands`, { command: "take" });
    // The name somebody has when something happens stays with it, so these go one by one.
    for (const [at, name] of NAMES.entries()) {
      talks[at].by = name;
      await api("PATCH", "me", { display_name: name });
      await Promise.all([handOn(talks[at]), answer(talks[at])]);
    }
    await api("PATCH", "me", { display_name: "Olga" });
    await all(talks.slice(NAMES.length), async (talk) => {
      talk.by = "Olga";
      await handOn(talk);
      await answer(talk);
    });
    for (const talk of talks) assert.ok(talk.by, "every name is somewhere");
  });

  it("stays text in the list", async () => {
    const { page } = agent;
    await page.setViewportSize(TALL);
    await agent.view("all");
    await page.waitForFunction((count) => document.querySelectorAll('[data-testid="conversation-row"]').length > count, talks.length - 1);
    const rows = new Map(
      await page.evaluate(() => [...document.querySelectorAll('[data-testid="conversation-row"]')].map((row) => [row.dataset.conversation, { last: row.querySelector(".row-last").textContent, state: row.querySelector(".row-state").textContent, elements: row.querySelectorAll(":not(span, svg, svg *, time)").length }])),
    );
    for (const { id, payload } of talks) {
      const row = rows.get(id);
      assert.ok(row.last.endsWith(shown(payload)), JSON.stringify([row, payload]));
      assert.equal(row.state, `Queue of ${shown(nameOf(payload))}`);
      assert.equal(row.elements, 0, payload);
    }
    await seen(page, "list");
  });

  it("stays text in conversations and their details", async () => {
    const { page } = agent;
    await page.setViewportSize(WIDE);
    // What is an address of the web in each of them, of the others every third: their text is above and below.
    const chosen = talks.filter(({ payload }, at) => at % 3 === 0 || /^\W*https?:/i.test(payload));
    const opened = await page.evaluate(readConversations, chosen.map((talk) => talk.id));
    for (const [at, found] of opened.entries()) {
      const { payload, by } = chosen[at];
      const text = shown(payload);
      assert.deepEqual(found.messages, [`visitor message ${text}`, `team note ${text}`], payload);
      assert.ok(found.system.some((line) => line.startsWith(by)), JSON.stringify([found.system, by]));
      assert.equal(found.facts.Team, shown(nameOf(payload)));
      assert.equal(found.state, `Queue of ${shown(nameOf(payload))}`);
      assert.equal(found.facts.Language ?? "", shown(cut(payload.replace(/\p{Cc}/gu, ""), 35)), payload);
      // The server keeps a page only where it is an address of the web.
      if (found.pageAddress !== "") assert.match(found.pageAddress, /^https?:\/\//);
      else assert.ok(found.page === "" || /^https?:/i.test(found.page), found.page);
      checkLinks(found.links, payload);
      assert.equal(found.elements, 0, payload);
    }
    await seen(page, "conversations");
  });

  it("stays text in the visitor's window, both ways, and in the agent's", async () => {
    const stored = (await storedTexts(api, own)).slice(1).sort();
    assert.deepEqual(stored, [...PAYLOADS, ...PAYLOADS].sort(), "what was sent is stored as it is");
    const files = await fileNames(api, own);
    assert.equal(files.length, FILES.length);

    await visitor.page.setViewportSize({ width: 800, height: 4_000 });
    // Behind another tab nothing is drawn.
    await visitor.page.bringToFront();
    const theirs = await visitor.page.evaluate(readTimeline, { scroller: ".scroller", row: "[data-row]", text: ".bubble-text", file: ".attachment > span", name: ".message-name", hidden: ".visually-hidden", count: 2 * PAYLOADS.length + FILES.length + 1 });
    assert.deepEqual(theirs.texts.filter((text) => text !== "hello").sort(), stored);
    assert.deepEqual(theirs.files.sort(), files);
    assert.deepEqual(NAMES.filter((name) => !theirs.names.includes(name)), [], "every name stands over its message");
    theirs.links.forEach((link) => checkLinks([link], link[0]));
    await seen(visitor.page, "page of its own");

    await agent.page.setViewportSize({ width: 1440, height: 4_000 });
    await agent.page.evaluate((id) => (location.hash = `#/inbox/all/${id}`), own);
    await agent.message("hello").or(agent.message(PAYLOADS.at(-1))).first().waitFor();
    // Here the newest; every text on its own is above.
    const ours = await agent.page.locator('[data-testid="message"]').evaluateAll((messages) => messages.map((message) => [message.querySelector(".words, .file-name").textContent, message.querySelectorAll(".words :not(a), .file-name *").length]));
    const known = [...stored.map(shown), ...files, "hello"];
    assert.ok(ours.length >= 20, `${ours.length} messages`);
    assert.deepEqual(ours.filter(([text, inside]) => !known.includes(text) || inside > 0), []);
    await seen(agent.page, "long conversation");
    await agent.page.setViewportSize(WIDE);

    // The frame of a site shows the same, through the loader.
    const shop = await Visitor.atShop(await ann.page(), server.url);
    await shop.message(PAYLOADS.at(-1)).first().waitFor();
    await seen(shop.page, "shop");
    await shop.page.close();
  });

  it("stays text while it is being written", async () => {
    const typist = await crowd.join("somebody who types");
    await agent.view("all");
    await agent.open("somebody who types");
    for (const text of TEXTS) {
      await crowd.type(typist, text);
      await agent.page.waitForFunction((draft) => document.querySelector(".typing-text")?.textContent.endsWith(draft), shown(text));
    }
    assert.equal(await agent.page.locator(".typing-text *").count(), 0);
    await seen(agent.page, "draft");
  });

  it("stays text in ratings and labels", async () => {
    const rated = talks.slice(0, COMMENTS.length);
    await all(rated, async (talk, at) => {
      await api("POST", `conversations/${talk.id}/commands`, { command: "take" });
      await api("POST", `conversations/${talk.id}/messages`, { text: "an answer to rate" });
      await asVisitor(talk.token, `${talk.id}/commands`, JSON.stringify({ command: "close" }));
      await asVisitor(talk.token, `${talk.id}/commands`, JSON.stringify({ command: "rate", rating: 1, comment: COMMENTS[at] }));
    });
    const groups = Array.from({ length: Math.ceil(LABELS.length / 32) }, (_, at) => LABELS.slice(32 * at, 32 * at + 32));
    const labelled = talks.slice(rated.length, rated.length + groups.length);
    await all(labelled, (talk, at) => api("POST", `conversations/${talk.id}/commands`, { command: "labels", labels: groups[at] }));
    for (const [at, talk] of rated.entries()) {
      await agent.page.evaluate((id) => (location.hash = `#/inbox/closed/${id}`), talk.id);
      await agent.page.waitForFunction((comment) => document.querySelector(".rating-comment")?.textContent === comment, shown(COMMENTS[at]));
      await seen(agent.page, "rating");
    }
    for (const [at, talk] of labelled.entries()) {
      await agent.page.evaluate((id) => (location.hash = `#/inbox/all/${id}`), talk.id);
      await agent.page.waitForFunction((labels) => JSON.stringify([...document.querySelectorAll(".labels .tag")].map((label) => label.textContent).sort()) === labels, JSON.stringify(groups[at].map(shown).sort()));
      await seen(agent.page, "labels");
    }
  });

  it("stays text in canned replies, where they are offered and where they are kept", async () => {
    const replies = SHORTCUTS.map((shortcut, at) => ({ shortcut, texts: { en: `group${Math.floor(at / OFFERED)}x ${withoutControls(PAYLOADS[at % PAYLOADS.length])}` } }));
    await all(replies, (reply) => api("POST", "canned-replies", reply));
    const { page } = agent;
    await page.goto(server.url);
    await page.reload();
    await agent.rail().waitFor();
    await page.evaluate((id) => (location.hash = `#/inbox/all/${id}`), own);
    await agent.input.waitFor();
    for (let group = 0; group * OFFERED < replies.length; group++) {
      const expected = replies.slice(group * OFFERED, group * OFFERED + OFFERED);
      await agent.input.fill(`/group${group}x`);
      await page.waitForFunction((count) => document.querySelectorAll('[data-testid="replies-menu"] [role="option"]').length === count, expected.length);
      const offered = await page.locator('[data-testid="replies-menu"] [role="option"]').evaluateAll((options) => options.map((option) => [option.querySelector(".reply-shortcut").textContent, option.querySelector(".reply-text").textContent, option.querySelectorAll("*").length]));
      assert.deepEqual(offered.sort(), expected.map(({ shortcut, texts }) => [`/${shortcut}`, texts.en, 2]).sort());
    }
    await seen(page, "offered replies");
    await agent.input.fill("");
    await page.goto(`${server.url}#/settings/replies`);
    await page.getByTestId("canned-reply").nth(replies.length - 1).waitFor();
    const kept = await page.getByTestId("canned-reply").evaluateAll((lines) => lines.map((line) => [line.querySelector(".reply-shortcut").textContent, line.querySelector(".clamp").textContent, line.querySelectorAll(".clamp *, .reply-shortcut *").length]));
    assert.deepEqual(kept.sort(), replies.map(({ shortcut, texts }) => [`/${shortcut}`, texts.en, 0]).sort());
    await seen(page, "settings, replies");
  });

  it("stays text in names of people, teams and keys", async () => {
    const { page } = agent;
    const { roles } = await api("GET", "roles");
    const role = roles.find((known) => known.builtin === "agent").id;
    await all(NAMES, (name, at) => api("POST", "users", { email: `n${at}@names.example`, display_name: name, password: "correct horse battery staple 42", role, teams: teams.slice(at, at + 1) }));
    await all(NAMES, (name) => api("POST", "api-keys", { name, rights: ["visitor.read"] }));
    for (const [section, selector, names] of [
      ["people", ".person-name", NAMES],
      ["teams", '[data-testid="team"] .line-text > span:first-child', PAYLOADS.map(nameOf)],
      ["keys", '[data-testid="api-key"] .line-text > span:first-child', NAMES],
    ]) {
      await page.goto(`${server.url}#/settings/${section}`);
      await page.locator(selector).nth(names.length - 1).waitFor();
      const found = await page.locator(selector).evaluateAll((elements) => elements.map((element) => [element.firstChild.textContent.trim(), element.querySelectorAll(":not(code)").length]));
      assert.deepEqual(names.filter((name) => !found.some(([text, inside]) => text === name && inside === 0)), [], section);
      await seen(page, `settings, ${section}`);
    }
    await page.goto(`${server.url}#/inbox/all`);
    await page.reload();
    await agent.rail().waitFor();
    await page.evaluate((id) => (location.hash = `#/inbox/all/${id}`), own);
    await page.getByTestId("transfer-button").click();
    const targets = page.locator(".target-name");
    await targets.nth(NAMES.length + teams.length - 1).waitFor();
    const found = await targets.allTextContents();
    assert.deepEqual([...NAMES, ...PAYLOADS.map(nameOf)].filter((name) => !found.includes(name)), []);
    assert.equal(await page.locator(".target-name *").count(), 0);
    await seen(page, "transfer");
    // Whom it went to is told in a notice.
    await targets.filter({ hasText: "<script>" }).last().click();
    await page.getByTestId("transfer-submit").click();
    await page.getByTestId("notice").filter({ hasText: "<script>" }).first().waitFor();
    await seen(page, "notice");
  });

  it("stays text in who waits, in the palette and in the address", async () => {
    const { page } = agent;
    await page.goto(`${server.url}#/waiting`);
    const cells = page.locator(".table tbody td:nth-child(2)");
    await cells.nth(talks.length - 2 * COMMENTS.length).waitFor();
    const found = await cells.allTextContents();
    const queued = talks.slice(COMMENTS.length).map(({ payload }) => nameOf(payload));
    assert.deepEqual(queued.filter((name) => !found.some((cell) => cell.includes(name))), []);
    assert.equal(await page.locator(".table tbody td:nth-child(2) *").count(), 0);
    await seen(page, "who waits");
    await page.keyboard.press("Control+k");
    await page.getByTestId("palette").waitFor();
    await page.keyboard.type("<script>");
    await seen(page, "palette");
    await page.keyboard.press("Escape");
    lin.expect(/status of 404.*\/api\/v1\/conversations\//);
    await page.evaluate(async (payloads) => {
      for (const payload of payloads) {
        for (const address of [payload, `/inbox/all/${payload}`, `/settings/inboxes/${payload}`, `/setup?token=${payload}`]) {
          location.hash = `#${address}`;
          await new Promise((resolve) => setTimeout(resolve));
        }
      }
    }, PAYLOADS.filter((_, at) => at % 9 === 0));
    await seen(page, "address");
  });

  it("stays text in what the team says to every visitor", async () => {
    const bob = await Person.arrive(browser);
    watches.set(bob.context, await Watch.over(bob.context, server.address));
    const page = await bob.page();
    for (const [at, text] of TEXTS.entries()) {
      const title = NAMES[at];
      await api("PATCH", `inboxes/${inbox}`, { name: title, texts: { title: { en: title }, greeting: { en: text }, away: { en: text } } });
      await Visitor.alone(page, server.url, inboxKey);
      await page.locator(".header h1", { hasText: title }).waitFor();
      assert.equal(await page.locator(".header h1").textContent(), title);
      assert.equal(await page.locator(".greeting h2").textContent(), text);
      assert.equal(await page.title(), title.replace(/\s+/g, " "));
      assert.equal(await page.locator(".header h1 *, .greeting h2 *").count(), 0);
      await seen(page, "greeting");
    }
    const shop = await Visitor.atShop(page, server.url);
    await shop.launcher().click();
    assert.equal(await shop.launcher().getAttribute("aria-label"), NAMES[TEXTS.length - 1]);
    await seen(page, "launcher");
    // Nobody is there: the words for that come.
    await agent.page.goto(server.url);
    await agent.setPresence("away");
    await Visitor.alone(page, server.url, inboxKey);
    await page.locator(".greeting p", { hasText: TEXTS.at(-1).slice(0, 20) }).waitFor();
    assert.equal(await page.locator(".greeting p").textContent(), TEXTS.at(-1));
    await seen(page, "away");
    await agent.page.goto(`${server.url}#/settings/inboxes`);
    await agent.page.getByTestId("inbox-texts-tab").click();
    assert.equal(await agent.page.locator("main h1").textContent(), NAMES[TEXTS.length - 1]);
    // In the form, and in the preview beside it.
    await agent.page.getByTestId("preview-away").click();
    assert.equal(await agent.page.locator(".preview-intro").textContent(), TEXTS.at(-1));
    await seen(agent.page, "settings, inboxes");
    await bob.leave();
  });

  it("stays text in what a browser calls itself", async () => {
    const agents = packed(80, 4_096, (payload) => payload.replace(/[^\x20-\x7e]/g, "").trim());
    const mei = await Person.arrive(browser);
    watches.set(mei.context, await Watch.over(mei.context, server.address));
    const page = await mei.page();
    await Agent.enter(page, server.url, "supervisor");
    const { email } = await server.credentials("supervisor");
    for (let at = 0; at < agents.length; at += SESSIONS) {
      const round = agents.slice(at, at + SESSIONS);
      await all(round, async (agent) => {
        const answer = await fetch(new URL("api/v1/sign-in/demo", server.url), { method: "POST", headers: { "content-type": "application/json", "x-frontdesk": "1", origin: new URL(server.url).origin, "user-agent": agent }, body: JSON.stringify({ email }) });
        assert.ok(answer.ok, `${answer.status}`);
        await answer.arrayBuffer();
      });
      await page.goto(`${server.url}#/settings/profile`);
      await page.reload();
      const lines = page.locator(".lines .line-text > span:first-child");
      await lines.filter({ hasText: round.at(-1) }).first().waitFor();
      const found = await lines.allTextContents();
      assert.deepEqual(round.filter((name) => !found.includes(name)), []);
      await seen(page, "login sessions");
      await page.evaluate(() => fetch("api/v1/me/sessions", { method: "DELETE", headers: { "x-frontdesk": "1" } }));
    }
    await mei.leave();
  });
});

/** A name has no control characters, and an end. */
function nameOf(payload) {
  return [...withoutControls(payload)].slice(0, 100).join("").trim();
}

/** Decoding takes a byte order mark at the very beginning for what its name says. */
function shown(payload) {
  return payload.replace(/^\ufeff/, "");
}

function cut(text, bytesMax) {
  let kept = "";
  for (const character of text) {
    if (Buffer.byteLength(kept + character) > bytesMax) break;
    kept += character;
  }
  return kept;
}

/** What HTTP lets stand in a header. */
function header(text) {
  return Buffer.from(text.replace(/\p{Cc}/gu, " ").trim()).toString("latin1").replace(/[\u0080-\u009f]/g, "?");
}

async function fileNames(api, conversation) {
  const names = [];
  for (let after = 0; ; ) {
    const { items } = await api("GET", `conversations/${conversation}/entries?after=${after}&limit=200`);
    if (items.length === 0) return names.sort();
    after = Number(items.at(-1).entry?.seq ?? items.at(-1).skip.toSeq);
    for (const { entry } of items) if (entry?.content?.file) names.push(entry.content.file.name);
  }
}

/** Only the web and mail are linked, to where the text says, and the page behind learns nothing. */
function checkLinks(links, payload) {
  for (const [text, href, rel] of links) {
    assert.ok(shown(payload).includes(text), `${text} in ${payload}`);
    assert.match(href, /^(?:https?:\/\/[^/]|mailto:.)/, payload);
    assert.equal(href, new URL(/^https?:/i.test(text) ? text : `mailto:${text}`).href);
    assert.doesNotMatch(text, /[\u202a-\u202e\u2066-\u2069\u200e\u200f\u061c]/, `no link that reads backwards: ${payload}`);
    assert.match(rel, /\bnoopener\b/, payload);
  }
}

/** `Promise.all` over `work`, a few at a time. */
async function all(items, work) {
  const results = [];
  const rest = [...items.entries()].reverse();
  await Promise.all(
    Array.from({ length: AT_ONCE }, async () => {
      for (let one = rest.pop(); one !== undefined; one = rest.pop()) results[one[0]] = await work(one[1], one[0]);
    }),
  );
  return results;
}

/** In the page: opens one conversation after the other and says what is drawn. */
async function readConversations(conversations) {
  const all = (selector) => [...document.querySelectorAll(selector)];
  const facts = () => all('[data-testid="details"] .fact').map((fact) => [fact.firstChild.textContent, fact.lastChild.textContent]);
  const title = () => document.querySelector('[data-testid="chat-title"]')?.textContent ?? "";
  // What is asked for one by one comes last: the notes, and what is known of the visitor.
  let former = title();
  const complete = () => title() !== former && all('[data-kind="note"]').length === 1 && facts().some(([name]) => name === "First contact");
  const drawn = (id) =>
    new Promise((resolve, reject) => {
      const late = setTimeout(() => reject(new Error(`${id} is not drawn`)), 15_000);
      const look = () => {
        if (!complete()) return;
        clearTimeout(late);
        observer.disconnect();
        resolve();
      };
      const observer = new MutationObserver(look);
      observer.observe(document.body, { subtree: true, childList: true, characterData: true });
      look();
    });
  const seen = [];
  for (const id of conversations) {
    location.hash = `#/inbox/all/${id}`;
    await drawn(id);
    former = title();
    seen.push({
      messages: all('[data-testid="message"]').map((message) => [message.dataset.side, message.dataset.kind, message.querySelector(".words").textContent].join(" ")),
      links: all('[data-testid="message"] .words a').map((link) => [link.textContent, link.href, link.rel]),
      elements: all('[data-testid="message"] .words *').filter((element) => element.localName !== "a").length + all(".system-line > :not(time)").length,
      system: all('[data-testid="system-line"]').map((line) => line.firstChild.textContent),
      page: document.querySelector('[data-testid="details"] .page-link')?.textContent ?? "",
      pageAddress: document.querySelector('[data-testid="details"] a.page-link')?.href ?? "",
      facts: Object.fromEntries(facts()),
      state: document.querySelector('[data-testid="chat-state"]').textContent,
    });
  }
  return seen;
}

/** In the page: reads a long timeline from its end to its beginning, as it is drawn in part. */
async function readTimeline({ scroller, row, text, file, name, hidden, count }) {
  const box = document.querySelector(scroller);
  const rows = new Map();
  const read = () => {
    for (const one of box.querySelectorAll(row)) {
      const words = one.querySelector(text);
      const kept = one.querySelector(file);
      if (words === null && kept === null) continue;
      const said = words === null ? undefined : [...words.childNodes].filter((node) => node.nodeName === "#text" || !node.matches(hidden)).map((node) => (node.nodeName === "#text" || node.localName === "a" ? node.textContent : node.outerHTML)).join("");
      rows.set(one.dataset.row ?? one.dataset.key, {
        text: said,
        file: kept?.firstChild.textContent,
        name: one.querySelector(name)?.textContent,
        links: words === null ? [] : [...words.querySelectorAll("a")].map((link) => [link.textContent, link.href, link.rel]),
      });
    }
  };
  const frame = () => new Promise((resolve) => requestAnimationFrame(resolve));
  box.scrollTop = box.scrollHeight;
  const lateAt = performance.now() + 30_000;
  for (;;) {
    if (performance.now() > lateAt) throw new Error(`${rows.size} of ${count} rows, at ${box.scrollTop} of ${box.scrollHeight}`);
    await frame();
    await frame();
    read();
    if (rows.size >= count) break;
    // Rows that turn out higher than thought may be pushed out below before they are read: once more.
    box.scrollTop = box.scrollTop === 0 && rows.size > count / 2 ? box.scrollHeight : box.scrollTop - box.clientHeight / 4;
  }
  const found = [...rows.values()];
  return {
    texts: found.map((one) => one.text).filter((said) => said !== undefined),
    files: found.map((one) => one.file).filter((kept) => kept !== undefined),
    names: found.map((one) => one.name).filter((who) => who !== undefined),
    links: found.flatMap((one) => one.links),
  };
}
