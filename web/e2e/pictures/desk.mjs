// The console's inbox: its lists, a conversation and everything that opens over it, and the states a
// view may be in.
import { Agent } from "../support/agent.mjs";
import { Crowd } from "../support/crowd.mjs";
import { picture } from "../support/picture.mjs";
import { Visitor } from "../support/visitor.mjs";
import { rate, stage } from "./stage.mjs";
import { LOCALES, REPLIES, WORDS } from "./words.mjs";

const WIDE = { widths: [1440] };
const OUTER = { widths: [1440, 390] };

export async function desk(browser, camera) {
  const { locale } = camera;
  const words = WORDS[locale];
  await stage(browser, camera, {}, async ({ server, arrive }) => {
    const api = await server.api();
    for (const reply of REPLIES) await api("POST", "canned-replies", reply);
    const inboxKey = await server.inboxKey();
    const crowd = await Crowd.gather(await arrive(), server.url, inboxKey);
    const lin = await arrive();
    const page = await lin.page();
    const agent = await Agent.enter(page, server.url, "agent");
    await camera.view("inbox-empty", (name) => camera.looks(page, name));

    const visitor = await talk(await (await arrive()).page(), agent, server, words);
    for (const text of words.guests) await crowd.join(text, { language: locale });
    for (const other of LOCALES.filter((one) => one !== locale)) for (const text of WORDS[other].guests) await crowd.join(text, { language: other });
    await agent.row(words.guests[0]).waitFor();
    const opened = page.url();

    await camera.view("conversation-typing", async (name) => {
      await visitor.input.fill(words.typing);
      await page.getByTestId("typing").filter({ hasText: words.typing.slice(0, 6) }).waitFor();
      await camera.looks(page, name, WIDE);
      await visitor.input.fill("");
      await page.getByTestId("typing").filter({ hasText: words.typing.slice(0, 6) }).waitFor({ state: "detached" });
    });
    await camera.view("conversation", (name) => camera.looks(page, name));
    await over(camera, agent, words);
    await lists(camera, agent, server);
    await states(camera, agent, server, opened);
    await camera.view("conversation-closed", async (name) => {
      await page.goto(opened);
      await page.getByTestId("close-button").click();
      await page.getByTestId("reopen-button").waitFor();
      await visitor.chat.locator(".rating").waitFor();
      await rate(visitor, 5, words.praise);
      await agent.view("closed");
      await page.locator(`[data-conversation="${opened.split("/").pop()}"]`).click();
      await page.getByTestId("timeline").waitFor();
      await camera.looks(page, name);
    });
    await camera.view("offline", async (name) => {
      await page.goto(opened);
      await page.getByTestId("timeline").waitFor();
      await page.getByTestId("reopen-button").click();
      await page.getByTestId("close-button").waitFor();
      await server.kill();
      await page.getByTestId("offline-banner").waitFor();
      for (const text of words.unsent) await agent.say(text);
      await camera.looks(page, name);
    });
  });
}

/** A conversation that has come some way; the visitor stays. */
async function talk(shop, agent, server, words) {
  const { page } = agent;
  const visitor = await Visitor.atShop(shop, server.url);
  await visitor.say(words.opening);
  await agent.open(words.opening.slice(0, 12));
  await agent.message(words.opening.slice(0, 12)).waitFor();
  await agent.say(words.answers[0]);
  await agent.say(words.answers[1]);
  const box = await picture(page, 640, 420, "#8fa89a");
  await page.getByTestId("composer-file").setInputFiles({ name: "box.png", mimeType: "image/png", buffer: box });
  await page.locator('[data-testid="attachment"][data-state="stored"]').waitFor();
  await agent.input.press("Enter");
  await visitor.chat.locator(".message-other .picture img").waitFor();
  await visitor.say(words.thanks);
  await agent.message(words.thanks).waitFor();
  await page.getByTestId("mode-note").click();
  await agent.say(words.note);
  await page.getByTestId("mode-reply").click();
  await agent.say(words.last);
  await visitor.message(words.last).waitFor();
  return visitor;
}

/** What opens over a conversation or within its composer. */
async function over(camera, agent, words) {
  const { page } = agent;
  const escape = () => page.keyboard.press("Escape");
  await camera.view("composer-note", async (name) => {
    await page.getByTestId("mode-note").click();
    await agent.input.fill(words.note);
    await camera.looks(page, name, WIDE);
    await agent.input.fill("");
    await page.getByTestId("mode-reply").click();
  });
  await camera.view("composer-replies", async (name) => {
    await page.getByTestId("composer-replies").click();
    await page.getByTestId("replies-menu").waitFor();
    await camera.looks(page, name, OUTER);
    await escape();
    await agent.input.fill("");
  });
  await camera.view("composer-quote", async (name) => {
    const message = agent.message(words.thanks);
    await message.hover();
    await message.getByTestId("quote-button").click();
    await camera.looks(page, name, OUTER);
    await page.locator(".composer-quote button").click();
  });
  await camera.view("transfer", async (name) => {
    await page.getByTestId("transfer-button").click();
    await page.getByTestId("transfer-dialog").waitFor();
    await page.getByTestId("transfer-note").fill(words.handOver);
    await camera.looks(page, name);
    await escape();
  });
  await camera.view("conversation-menu", async (name) => {
    await page.getByTestId("more-button").click();
    await camera.looks(page, name, WIDE);
    await escape();
  });
  await camera.view("own-menu", async (name) => {
    await agent.rail().click();
    await camera.looks(page, name, WIDE);
    await escape();
  });
  await camera.view("shortcuts", async (name) => {
    await page.getByTestId("timeline").focus();
    await page.keyboard.press("?");
    await page.getByTestId("shortcut-help").waitFor();
    await camera.looks(page, name, OUTER);
    await escape();
  });
  await camera.view("palette", async (name) => {
    await page.keyboard.press("Control+k");
    await page.getByTestId("palette-input").waitFor();
    await camera.looks(page, name, OUTER);
    await escape();
  });
  await camera.view("details", async (name) => {
    await page.setViewportSize({ width: 1024, height: 768 });
    await page.getByTestId("details-button").click();
    await camera.looks(page, name, { widths: [1024, 390] });
    await escape();
  });
}

async function lists(camera, agent, server) {
  const { page } = agent;
  await page.goto(`${server.url}#/inbox/mine`);
  for (const view of ["mine", "queue", "team", "all", "closed"]) {
    await camera.view(`list-${view}`, async (name) => {
      await page.goto(`${server.url}#/inbox/${view}`);
      await page.getByTestId("list-search").waitFor();
      await camera.looks(page, name, view === "mine" || view === "queue" ? {} : OUTER);
    });
  }
  await camera.view("list-search", async (name) => {
    await page.goto(`${server.url}#/inbox/mine`);
    await page.getByTestId("list-search").fill("zzz");
    await camera.looks(page, name, OUTER);
    await page.getByTestId("list-search").fill("");
  });
  await camera.view("waiting", async (name) => {
    await page.goto(`${server.url}#/waiting`);
    await page.getByTestId("waiting-page").waitFor();
    await camera.looks(page, name);
  });
}

/** Loading and failing, which nothing real does for long: the way to the server is held or refused. */
async function states(camera, agent, server, opened) {
  const { page } = agent;
  await camera.view("inbox-loading", async (name) => {
    const slow = await page.context().newPage();
    // A socket that opens and says nothing.
    await slow.routeWebSocket(/\/ws\/v1/, () => undefined);
    await slow.goto(opened);
    await slow.locator(".skeleton").first().waitFor();
    await camera.looks(slow, name, { still: false });
    await slow.close();
  });
  await camera.view("inbox-failed", async (name) => {
    await page.goto(`${server.url}#/inbox/mine/${"0".repeat(20)}`);
    await page.getByRole("alert").first().waitFor();
    await camera.looks(page, name);
  });
}
