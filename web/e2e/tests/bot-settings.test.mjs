// The bot as who sets it up sees it: where it works, a talk nobody else hears, its flows with their versions and the time
// machine, the language model, words; and what the team sees of it in a conversation.
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { Agent } from "../support/agent.mjs";
import { checkAccess, checkThemes, withAxe } from "../support/axe.mjs";
import { Person, end, launch } from "../support/browser.mjs";
import { Server } from "../support/server.mjs";
import { Visitor } from "../support/visitor.mjs";

const ARTICLE = {
  slug: "gaiwan-care",
  category: "Care",
  state: "published",
  texts: { en: { title: "How do I clean a gaiwan?", summary: "Rinse it with hot water, without soap.", body: "Rinse it with hot water, without soap.", questions: ["How should a gaiwan be washed?"] } },
};

describe("the bot", () => {
  let server, browser, people, boss, lin, api;

  before(async () => {
    server = await Server.start();
    api = await server.api("admin");
    await api("POST", "articles", ARTICLE);
    browser = await launch();
    people = [await withAxe(await Person.arrive(browser)), await withAxe(await Person.arrive(browser)), await Person.arrive(browser)];
    boss = await Agent.enter(await people[0].page(), server.url, "owner");
    await boss.setPresence("away");
    lin = await Agent.enter(await people[1].page(), server.url, "agent");
  });

  after(() => end(people, browser, server));

  /** Where the keyboard is. */
  const active = (page) => page.evaluate(() => document.activeElement?.getAttribute("data-testid"));
  const go = async (page, path, shows) => {
    await page.goto(`${server.url}#/settings/${path}`);
    await page.getByTestId(shows).first().waitFor();
  };
  const save = async (page, testid) => {
    await page.getByTestId(testid).click();
    await page.getByTestId("save-bar").waitFor({ state: "detached" });
  };

  it("is turned on in an inbox, named, and told when to hand over", async () => {
    const { page } = boss;
    await go(page, "bot", "bot-place");
    await checkThemes(page, "the bot");
    const place = page.getByTestId("bot-place").first();
    await place.getByTestId("bot-mode-answer").check();
    await page.getByTestId("bot-name-en").fill("Leaf");
    await page.getByTestId("bot-misses").fill("11");
    assert.ok(await page.getByTestId("bot-save").isDisabled(), "more misses than there may be");
    await page.getByTestId("bot-misses").fill("3");
    await page.getByTestId("bot-on-anger").uncheck();
    await save(page, "bot-save");
    const bot = await api("GET", "bot");
    const inbox = await place.getAttribute("data-inbox");
    assert.deepEqual([bot.inboxes[inbox].mode, bot.inboxes[inbox].who, bot.name.en], ["answer", "built_in", "Leaf"]);
    assert.deepEqual([bot.handover.misses_max, bot.handover.on_anger], [3, false]);
    // Nobody ever chose one: it is that of who has just set the bot up.
    assert.equal(bot.team_language, "en");
    await page.getByTestId("bot-brief-language").selectOption("zh-CN");
    await save(page, "bot-save");
    assert.equal((await api("GET", "bot")).team_language, "zh-CN");
    await page.getByTestId("bot-brief-language").selectOption("en");
    await save(page, "bot-save");
  });

  it("keeps what was set where somebody else was faster", async () => {
    const { page } = boss;
    people[0].expect(/status of 412.*\/(bot|words|llm)/);
    await go(page, "bot", "bot-place");
    const { revision, name, inboxes, fallback, handover } = await api("GET", "bot");
    await api("PUT", "bot", { revision, name: { ...name, en: "Twig" }, inboxes, fallback, handover });
    await page.getByTestId("bot-name-en").fill("Root");
    await page.getByTestId("bot-save").click();
    await page.getByTestId("conflict").waitFor();
    assert.equal(await page.getByTestId("bot-name-en").inputValue(), "Root");
    await page.getByTestId("conflict-theirs").click();
    assert.equal(await page.getByTestId("bot-name-en").inputValue(), "Twig");
    await page.getByTestId("bot-name-en").fill("Leaf");
    await save(page, "bot-save");
    assert.equal((await api("GET", "bot")).name.en, "Leaf");
  });

  it("talks without a word being sent: an answer with its article, then a person", async () => {
    const { page } = boss;
    await go(page, "bot", "talk");
    const before = (await api("GET", "conversations?view=open&limit=1")).counts.open;
    await page.getByTestId("talk-input").fill("How should a gaiwan be washed?");
    await page.keyboard.press("Enter");
    await page.locator('[data-testid="talk-reply"][data-kind="answer"]').filter({ hasText: "without soap" }).waitFor();
    await page.locator('[data-testid="talk-reply"][data-kind="answer"]').getByRole("link", { name: "How do I clean a gaiwan?" }).waitFor();
    await page.getByTestId("talk-input").fill("I want to talk to a real person");
    await page.getByTestId("talk-send").click();
    await page.getByTestId("talk-over").waitFor();
    await checkThemes(page, "a talk with the bot");
    assert.equal((await api("GET", "conversations?view=open&limit=1")).counts.open, before);
    await page.getByTestId("talk-begin").click();
    await page.getByTestId("talk-over").waitFor({ state: "detached" });
    assert.equal(await active(page), "talk-input");
  });

  it("has nothing to answer from without an article that is published, and says so", async () => {
    const { page } = boss;
    await go(page, "bot", "bot-place");
    assert.equal(await page.getByTestId("bot-no-articles").count(), 0);
    const [article] = (await api("GET", "articles")).articles;
    const { id, revision, slug, category, texts } = article;
    const draft = await api("PUT", `articles/${id}`, { revision, slug, category, texts, state: "draft" });
    await page.reload();
    await page.getByTestId("bot-no-articles").waitFor();
    await checkThemes(page, "a bot without articles");
    await api("PUT", `articles/${id}`, { revision: draft.revision, slug, category, texts, state: "published" });
    await page.getByTestId("bot-no-articles").getByRole("link").click();
    await page.getByTestId("article").waitFor();
  });

  it("has flows that are checked as they are written, drawn, published and taken back", async () => {
    const { page } = boss;
    await go(page, "flows", "add-flow");
    await page.getByTestId("add-flow").click();
    await page.getByTestId("flow-name").fill("tea time");
    assert.ok(await page.getByTestId("flow-submit").isDisabled());
    await page.getByTestId("flow-name").fill("tea");
    await page.getByTestId("flow-submit").click();
    const yaml = page.getByTestId("flow-yaml");
    await yaml.waitFor();
    await page.getByText("Nothing is wrong with it").waitFor();
    await checkThemes(page, "a flow");
    const first = await yaml.inputValue();
    assert.deepEqual(await page.getByTestId("flow-box").evaluateAll((boxes) => boxes.map((box) => box.dataset.step).sort()), ["done", "menu", "person", "question"]);
    // A step that is not there is told at its line, and a press leads there.
    await yaml.fill(first.replace("goto: done", "goto: nowhere"));
    const problem = page.getByTestId("flow-problem").filter({ hasText: "nowhere" });
    await problem.waitFor();
    const line = Number(await problem.getAttribute("data-line"));
    assert.match(first.split("\n")[line - 1], /goto: done/);
    await problem.getByRole("button").click();
    assert.match(await yaml.evaluate((area) => area.value.slice(area.selectionStart, area.selectionEnd)), /goto: nowhere/);
    assert.ok(await page.getByTestId("flow-publish").isDisabled(), "what cannot run is not published");
    await checkThemes(page, "a flow with a problem");
    await yaml.fill(first.replace("Go ahead", "Well then"));
    await page.getByText("Nothing is wrong with it").waitFor();
    await page.getByTestId("flow-unsaved").waitFor();
    // The flow that is being written is the one that talks.
    await page.getByTestId("flow-talk-tab").click();
    await page.getByTestId("talk-input").fill("hello");
    await page.keyboard.press("Enter");
    await page.getByTestId("talk-choice").filter({ hasText: "I have a question" }).click();
    await page.getByTestId("talk-reply").filter({ hasText: "Well then" }).waitFor();
    await page.getByTestId("flow-machine-tab").click();
    await page.getByTestId("machine-run").click();
    await page.getByTestId("machine-result").waitFor();
    await checkThemes(page, "the time machine");
    // A rule shows which sessions would get another intent, and nothing of it is kept.
    const person = await Person.arrive(browser);
    people.push(person);
    const visitor = await Visitor.alone(await person.page(), server.url, await server.inboxKey());
    await visitor.say("Is there a tasting on Sunday?");
    while ((await api("POST", "bot/replay", { sessions: 20 })).rows.every((row) => !row.question.includes("tasting"))) await page.waitForTimeout(200);
    const rules = (await api("GET", "intents")).intents.own.rules;
    await page.getByTestId("machine-more").click();
    await page.getByTestId("machine-threshold").fill("2");
    assert.ok(await page.getByTestId("machine-run").isDisabled());
    await page.getByTestId("machine-threshold").fill("0.99");
    await page.getByTestId("machine-intent").fill("tasting");
    await page.getByTestId("machine-words").fill("on Sunday");
    await page.getByTestId("machine-run").click();
    const sorted = page.getByTestId("machine-sorted").first();
    await sorted.locator(".machine-changed").getByText("tasting").waitFor();
    await checkThemes(page, "the time machine with a rule");
    assert.deepEqual((await api("GET", "intents")).intents.own.rules, rules);
    // There is no language model in this account to be another one.
    people[0].expect(/status of 409.*\/bot\/replay/);
    await page.getByTestId("machine-model").fill("another-model");
    await page.getByTestId("machine-run").click();
    await page.getByTestId("time-machine").getByRole("alert").waitFor();
    await page.getByTestId("flow-publish").click();
    await page.getByTestId("flow-unsaved").waitFor({ state: "detached" });
    const published = await api("GET", "bot/flows/tea");
    assert.match(published.yaml, /Well then/);
    await page.getByTestId("flow-versions-tab").click();
    await page.getByRole("button", { name: "What changed" }).first().click();
    assert.match(await page.locator(".diff").first().textContent(), /Well then/);
    await checkThemes(page, "versions of a flow");
    await page.getByTestId("roll-back").first().click();
    await page.locator(`[data-testid="flow-version"][data-version="${published.version + 1}"]`).waitFor();
    const back = await api("GET", "bot/flows/tea");
    assert.deepEqual([back.yaml, back.version], [first, published.version + 1]);
    await page.getByTestId("remove-flow").click();
    await page.getByTestId("confirm-submit").click();
    await page.waitForURL(/settings\/flows$/);
    assert.ok((await api("GET", "bot/flows")).flows.every((flow) => flow.name !== "tea"));
  });

  it("may ask a language model, whose key nobody reads and no other host gets", async () => {
    const { page } = boss;
    await go(page, "llm", "llm-base-url");
    await checkThemes(page, "the language model");
    await page.getByTestId("preset-DeepSeek").click();
    assert.equal(await page.getByTestId("llm-base-url").inputValue(), "https://api.deepseek.com/v1");
    await page.getByTestId("llm-key").fill("sk-0123456789abcdef9f2c");
    await page.getByTestId("llm-summary").check();
    await page.getByTestId("llm-day_tokens_max").fill("1000");
    // Neither longer than the server lets a visitor wait, nor than the whole answer.
    for (const [ms, text] of [["30001", "30,000 ms"], ["20001", "20,000 ms"]]) {
      await page.getByTestId("llm-visitor_wait_ms").fill(ms);
      await page.locator(".llm-figures .field-error").filter({ hasText: text }).waitFor();
      assert.ok(await page.getByTestId("llm-save").isDisabled());
    }
    await page.getByTestId("llm-visitor_wait_ms").fill("20000");
    await save(page, "llm-save");
    const kept = await api("GET", "llm");
    assert.deepEqual([kept.has_key, kept.features.summary, kept.day_tokens_max], [true, true, 1000]);
    assert.ok(!JSON.stringify(kept).includes("0123456789abcdef"), "the key goes in and never comes out");
    assert.equal(await page.getByTestId("llm-key").inputValue(), "");
    await page.getByText(`ends in ${kept.hint}`).waitFor();
    // Another model of the same host keeps it.
    await page.getByTestId("llm-model").fill("deepseek-reasoner");
    await save(page, "llm-save");
    assert.equal((await api("GET", "llm")).has_key, true);
    await page.getByTestId("preset-OpenAI").click();
    await page.getByTestId("llm-key-cleared").filter({ hasText: "api.deepseek.com" }).waitFor();
    await checkThemes(page, "a key that would be cleared");
    await save(page, "llm-save");
    assert.equal((await api("GET", "llm")).has_key, false);
    people[0].expect(/status of \d+.*\/llm\/test/);
    await page.getByTestId("llm-test-run").click();
    await page.locator('[data-testid="llm-test-result"][data-ok="false"]').or(page.getByTestId("llm-test").getByRole("alert")).first().waitFor({ timeout: 60_000 });
    await page.getByTestId("llm-spend").getByText("of 1,000 tokens today").waitFor();
  });

  it("lets no card number through, and notes where there was one", async () => {
    const { page } = boss;
    people[0].expect(/status of 4(00|22).*\/words/);
    await go(page, "words", "word-rules");
    await checkThemes(page, "words");
    await page.getByTestId("add-word-rule").click();
    await page.getByTestId("word-rule-name").fill("Badly written");
    await page.getByTestId("word-rule-kind").selectOption("pattern");
    await page.getByTestId("word-rule-pattern").fill("(never closed");
    await page.getByTestId("word-rule-submit").click();
    await page.getByTestId("word-rule-dialog").locator(".field-error").waitFor();
    await checkThemes(page, "a rule for words");
    await page.getByTestId("word-rule-name").fill("Cards");
    await page.getByTestId("word-rule-kind").selectOption("card");
    await page.getByTestId("word-rule-submit").click();
    await page.getByTestId("word-rule").filter({ hasText: "Cards" }).waitFor();
    await page.getByTestId("words-text").fill("My card is 4111 1111 1111 1111");
    await page.getByTestId("words-try").click();
    const result = page.getByTestId("words-result");
    await result.getByText("Cards").waitFor();
    assert.doesNotMatch(await result.textContent(), /4111 1111 1111 1111/);
    await checkThemes(page, "a text that was tried on words");
    const rules = (await api("GET", "words")).rules.filter((rule) => rule.name === "Cards");
    assert.deepEqual([rules[0].kind, rules[0].action, rules[0].applies_to], ["card", "mask", "visitors"]);
  });

  it("answers a visitor, tells the team why, and gives the session to whoever takes it", async () => {
    const visitor = await Visitor.atShop(await people[2].page(), server.url);
    await visitor.say("How should a gaiwan be washed?");
    await visitor.message("without soap").waitFor();
    const supervisor = boss.page;
    await supervisor.goto(`${server.url}#/inbox/all`);
    await boss.open("Leaf: Rinse");
    await visitor.say("My card is 4111 1111 1111 1111");
    await boss.message("My card is").waitFor();
    const said = supervisor.getByTestId("message").filter({ hasText: "without soap" });
    await said.waitFor();
    assert.match(await said.textContent(), /Leaf/);
    await said.getByTestId("sources").getByRole("link", { name: "How do I clean a gaiwan?" }).waitFor();
    const why = said.getByTestId("why");
    assert.equal(await why.getByRole("button").getAttribute("aria-expanded"), "false");
    await why.getByRole("button").focus();
    await supervisor.keyboard.press("Enter");
    assert.match(await why.textContent(), /From an article.*How do I clean a gaiwan\?.*\d+%/);
    await checkThemes(supervisor, "why a bot said something");
    assert.doesNotMatch(await supervisor.getByTestId("timeline").textContent(), /4111 1111 1111 1111/);
    await supervisor.getByTestId("chat-state").filter({ hasText: "Leaf" }).waitFor();
    await supervisor.getByTestId("details").getByText("bot", { exact: true }).waitFor();
    await supervisor.getByTestId("chat-bot").waitFor();
    // Whoever takes it over from where it is written writes on there.
    await supervisor.getByTestId("to-reply").getByRole("button", { name: "Take over" }).focus();
    await supervisor.keyboard.press("Enter");
    await supervisor.getByTestId("chat-state").filter({ hasText: "With you" }).waitFor();
    await supervisor.locator('[data-testid="composer"][data-mode="reply"]').waitFor();
    assert.equal(await active(supervisor), "composer-input");
    assert.equal(await supervisor.getByTestId("chat-bot").count(), 0);
    await go(supervisor, "words", "word-hits");
    await supervisor.getByTestId("word-hit").filter({ hasText: "Cards" }).first().waitFor();
    await go(supervisor, "bot/figures", "bot-figures");
    await checkThemes(supervisor, "what came of the bot");
  });

  it("lets whoever may take step in for it, without the right to take over from colleagues", async () => {
    const rights = ["conversation.read.own", "conversation.read.team", "conversation.write", "conversation.note", "conversation.assign", "conversation.close"];
    const role = await api("POST", "roles", { names: { en: "Trainee" }, rights });
    const login = { email: "noor@demo.example", password: "correct horse battery staple 42" };
    const teams = (await api("GET", "teams")).teams.map((team) => team.id);
    await api("POST", "users", { ...login, display_name: "Noor", role: role.id, teams, language: "en" });
    const [person, trainee] = [await Person.arrive(browser), await withAxe(await Person.arrive(browser))];
    people.push(person, trainee);
    const visitor = await Visitor.alone(await person.page(), server.url, await server.inboxKey());
    await visitor.say("How should a gaiwan be washed?");
    await visitor.message("without soap").waitFor();
    const noor = new Agent(await trainee.page());
    const { page } = noor;
    await page.goto(server.url);
    await page.getByTestId("sign-in-email").fill(login.email);
    await page.getByTestId("sign-in-password").fill(login.password);
    await page.keyboard.press("Enter");
    await noor.rail().waitFor();
    // The sessions of what follows are not for her.
    await noor.setPresence("away");
    await page.goto(`${server.url}#/inbox/all`);
    await noor.open("Leaf: Rinse");
    const takeOver = page.getByTestId("take-over-button");
    assert.equal(await takeOver.getAttribute("title"), "Take over from the bot: it answers no more");
    // Neither handed on nor closed before it is hers: the server would refuse that.
    for (const testid of ["transfer-button", "close-button"]) assert.equal(await page.getByTestId(testid).count(), 0, testid);
    await checkThemes(page, "a conversation of the bot");
    await takeOver.click();
    await page.getByTestId("chat-state").filter({ hasText: "With you" }).waitFor();
    await noor.say("Noor here, I go on.");
    await visitor.message("Noor here").waitFor();
    await visitor.say("How should a gaiwan be washed, again?");
    await noor.message("washed, again").waitFor();
    await noor.say("With hot water.");
    await visitor.message("With hot water.").waitFor();
    assert.equal(await visitor.message("without soap").count(), 1, "the bot is out of it");
  });

  it("hands over with a brief for the team, and says why", async () => {
    const person = await Person.arrive(browser);
    people.push(person);
    const visitor = await Visitor.alone(await person.page(), server.url, await server.inboxKey());
    await visitor.say("I want to talk to a real person");
    const { page } = lin;
    await page.goto(`${server.url}#/inbox/queue`);
    await lin.setPresence("online");
    await lin.view("mine");
    await page.getByTestId("conversation-row").first().click();
    await page.locator('[data-testid="message"][data-kind="note"]').filter({ hasText: "asked for a person" }).waitFor();
    const why = lin.message("a real person").getByTestId("why");
    await why.getByRole("button", { name: "Why the bot handed over" }).click();
    assert.match(await why.textContent(), /Handed over/);
    await checkThemes(page, "why a bot handed over");
  });

  it("only suggests, where it is set so: the agent takes it, or leaves it", async () => {
    const bot = await api("GET", "bot");
    const [inbox] = Object.keys(bot.inboxes);
    const { revision, name, fallback, handover } = bot;
    await api("PUT", "bot", { revision, name, fallback, handover, inboxes: { [inbox]: { ...bot.inboxes[inbox], mode: "suggest" } } });
    const person = await Person.arrive(browser);
    people.push(person);
    const visitor = await Visitor.alone(await person.page(), server.url, await server.inboxKey());
    await visitor.say("How should a gaiwan be washed?");
    const { page } = lin;
    await lin.open("gaiwan be washed");
    const card = page.getByTestId("suggestion");
    await card.filter({ hasText: "without soap" }).waitFor();
    await checkThemes(page, "a suggestion");
    await card.getByTestId("suggestion-use").focus();
    await page.keyboard.press("Enter");
    await card.waitFor({ state: "detached" });
    assert.match(await lin.input.inputValue(), /without soap/);
    assert.equal(await page.evaluate(() => document.activeElement?.getAttribute("data-testid")), "composer-input");
    await page.keyboard.press("Enter");
    await visitor.message("without soap").waitFor();
    await visitor.say("And how do I clean a gaiwan after that?");
    await card.filter({ hasText: "without soap" }).waitFor();
    await card.getByTestId("suggestion-dismiss").click();
    await card.waitFor({ state: "detached" });
    assert.equal(await lin.input.inputValue(), "");
    await page.getByTestId("suggested").first().getByRole("button").click();
    assert.match(await page.getByTestId("suggested").first().textContent(), /without soap/);
  });

  it("speaks Chinese on a phone, and nothing scrolls sideways", async () => {
    const person = await withAxe(await Person.arrive(browser, { locale: "zh-CN", viewport: { width: 390, height: 844 } }));
    people.push(person);
    const { page } = await Agent.enter(await person.page(), server.url, "owner");
    for (const [path, shows, title] of [["bot", "bot-place", "机器人"], ["flows", "add-flow", "流程"], ["llm", "llm-base-url", "语言模型"], ["words", "word-rules", "敏感词"]]) {
      await go(page, path, shows);
      await page.getByRole("heading", { level: 1, name: title }).waitFor();
      await checkAccess(page, `${path} on a phone`);
      assert.equal(await page.getByTestId("settings-page").evaluate((one) => one.scrollWidth - one.clientWidth), 0, path);
    }
    // What is wrong with a flow is told in the reader's language.
    await api("PUT", "bot/flows/short", { yaml: "name: short\nsteps:\n  first:\n    say: { en: Hello }\n    goto: last\n  last:\n    end: true\n", version: 0 });
    await page.goto(`${server.url}#/settings/flows/short`);
    const yaml = page.getByTestId("flow-yaml");
    await yaml.waitFor();
    const sound = await yaml.inputValue();
    await yaml.fill(sound.replace(/goto: \w+/, "goto: nowhere_at_all"));
    await page.getByTestId("flow-problem").filter({ hasText: "没有名为“nowhere_at_all”的步骤" }).first().waitFor();
    for (const [from, to, words, place] of [
      ["goto: last", "goto: last\n    colour: red", "这里没有“colour”字段。可用的有：say, ask, form, answer, set, if, handover, close, end, goto。", "第 6 行第 5 列"],
      ["{ en: Hello }", "{ en: Hello", "这里之前缺少逗号，或括号没有闭合。", "第 5 行第 9 列"],
      ["    say:", "   say:", "缩进不对：同一层的内容要从同一列开始。", "第 5 行"],
      ["say: { en: Hello }", "if: { variable: x, matches: '[0-9', goto: last }", "“[”没有闭合（第 1 个字符）。", "第 4 行"],
    ]) {
      await yaml.fill(sound.replace(from, to));
      const problem = page.getByTestId("flow-problem").filter({ hasText: words }).first();
      await problem.waitFor();
      assert.ok((await problem.textContent()).includes(place), `${await problem.textContent()}: ${place}`);
    }
    await lin.page.goto(`${server.url}#/settings`);
    await lin.page.getByTestId("settings-profile").waitFor();
    for (const section of ["bot", "flows", "llm", "words"]) assert.equal(await lin.page.getByTestId(`settings-${section}`).count(), 0);
  });
});
