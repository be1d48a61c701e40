// The console's inbox: its lists, a conversation and everything that opens over it, and the states a
// view may be in.
import { Agent } from "../support/agent.mjs";
import { gift } from "./gift.mjs";
import { lived, rate, stage, withoutBot } from "./stage.mjs";
import { talk } from "./talk.mjs";
import { WORDS } from "./words.mjs";

const WIDE = { widths: [1440] };
const OUTER = { widths: [1440, 390] };

export async function desk(browser, camera) {
  const { locale } = camera;
  const words = WORDS[locale];
  await camera.view("inbox-empty", (name) =>
    stage(browser, camera, {}, async ({ server, arrive }) => {
      const page = await (await arrive()).page();
      await Agent.enter(page, server.url, "agent");
      await camera.looks(page, name);
    }),
  );
  await stage(browser, camera, { life: true }, async ({ server, arrive }) => {
    const api = await lived(server);
    await withoutBot(api);
    const lin = await arrive();
    const page = await lin.page();
    const agent = await Agent.enter(page, server.url, "agent");
    await camera.view("notify-offer", async (name) => {
      await page.getByTestId("notify-offer").waitFor();
      await camera.looks(page, name, OUTER);
      await page.getByTestId("notify-later").click();
    });

    const visitor = await talk(await (await arrive()).page(), agent, api, server, words, await gift(browser));
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
    await long(camera, agent, server, api);
    await lists(camera, agent, server, arrive);
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
      await dismiss(page);
    });
    await camera.view("offline", async (name) => {
      await page.goto(opened);
      await page.getByTestId("timeline").waitFor();
      await page.getByTestId("reopen-button").click();
      await page.getByTestId("close-button").waitFor();
      await page.locator(`[data-conversation="${opened.split("/").pop()}"]`).waitFor();
      await server.kill();
      await page.getByTestId("offline-banner").waitFor();
      for (const text of words.unsent) await agent.say(text);
      await camera.looks(page, name);
    });
  });
}

/** Closes what the corner still says. */
async function dismiss(page) {
  for (const button of await page.locator('[data-testid="notice"] .button-icon').all()) await button.click();
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
  await camera.view("composer-mention", async (name) => {
    await page.getByTestId("mode-note").click();
    await page.getByTestId("composer-mention").click();
    await page.getByRole("listbox").waitFor();
    await camera.looks(page, name, OUTER);
    await page.getByRole("option").filter({ hasText: "Mei" }).click();
    await agent.input.press("End");
    await page.keyboard.type(words.ask);
    await agent.input.press("Enter");
    await page.getByTestId("mention").waitFor();
    await page.getByTestId("mode-reply").click();
  });
  await camera.view("composer-emoji", async (name) => {
    await page.getByTestId("composer-emoji").click();
    await page.getByTestId("emoji-search").waitFor();
    await camera.looks(page, name, OUTER);
    await escape();
  });
  await camera.view("retract", async (name) => {
    const message = agent.message(words.last);
    await message.hover();
    await message.getByTestId("retract-button").click();
    await page.getByTestId("confirm-dialog").waitFor();
    await camera.looks(page, name, OUTER);
    await escape();
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
    await page.locator(".composer-quote .button").click();
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

/** The longest conversation there is, at its end and somewhere above. */
async function long(camera, agent, server, api) {
  const { page } = agent;
  await camera.view("conversation-long", async (name) => {
    const { rows } = await api("GET", "conversations?view=open&limit=100");
    const longest = rows.reduce((known, row) => (Number(row.last?.seq ?? 0) > Number(known.last?.seq ?? 0) ? row : known));
    await page.goto(`${server.url}#/inbox/mine/${longest.conversation}`);
    await page.getByTestId("message").first().waitFor();
    await camera.looks(page, name, OUTER);
    await page.getByTestId("timeline").evaluate((timeline) => (timeline.scrollTop = timeline.scrollHeight / 2));
    await page.getByTestId("jump-to-latest").waitFor();
    await camera.looks(page, "conversation-long-above", OUTER);
  });
}

async function lists(camera, agent, server, arrive) {
  const { page } = agent;
  await page.goto(`${server.url}#/inbox/mine`);
  // A supervisor sees more of them, and was called upon in a note.
  const mei = (await Agent.enter(await (await arrive()).page(), server.url, "supervisor")).page;
  await mei.getByTestId("notify-later").click();
  const views = [
    ["mine", page],
    ["queue", page],
    ["team", mei],
    ["mentions", mei],
    ["all", mei],
    ["closed", mei],
  ];
  for (const [view, reader] of views) {
    await camera.view(`list-${view}`, async (name) => {
      await reader.goto(`${server.url}#/inbox/${view}`);
      await reader.getByTestId("conversation-row").first().waitFor();
      await camera.looks(reader, name, view === "mine" || view === "queue" ? {} : OUTER);
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
