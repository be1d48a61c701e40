// What the team knows: articles are written in two languages, looked at, published, found and tried; they come in from
// files; who answers visitors reads them, and only who may changes them.
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { after, before, describe, it } from "node:test";
import { Agent } from "../support/agent.mjs";
import { checkAccess, checkThemes, withAxe } from "../support/axe.mjs";
import { Person, end, launch } from "../support/browser.mjs";
import { Server } from "../support/server.mjs";

const BODY = "You can send it back **within 30 days**.\n\n1. Print the label\n2. Hand it in\n\n<script>alert(1)</script> and [a link](javascript:alert(1))";

describe("knowledge", () => {
  let server, browser, people, boss, lin, api, id;

  before(async () => {
    server = await Server.start();
    api = await server.api("admin");
    browser = await launch();
    people = [await withAxe(await Person.arrive(browser)), await withAxe(await Person.arrive(browser))];
    boss = await Agent.enter(await people[0].page(), server.url, "owner");
    await boss.setPresence("away");
    lin = await Agent.enter(await people[1].page(), server.url, "agent");
  });

  after(() => end(people, browser, server));

  const open = async (page, article) => {
    await page.goto(`${server.url}#/knowledge${article === undefined ? "" : `/${article}`}`);
    await page.getByTestId(article === undefined ? "question" : "article-title").waitFor();
  };
  const stored = () => api("GET", `articles/${id}`);
  const save = async (page) => {
    await page.getByTestId("article-save").click();
    await page.getByTestId("save-bar").waitFor({ state: "detached" });
  };

  it("is written in one language after the other, with its look beside, and published", async () => {
    const { page } = boss;
    await page.getByTestId("nav-knowledge").click();
    await page.getByTestId("add-article").click();
    await page.getByTestId("article-title").fill("How do I send a gaiwan back?");
    assert.equal(await page.getByTestId("article-slug").inputValue(), "how-do-i-send-a-gaiwan-back");
    await page.getByTestId("article-summary").fill("Within 30 days, for free.");
    await page.getByTestId("article-body").fill(BODY);
    await page.getByTestId("article-question-add").click();
    await page.getByTestId("article-question-0").fill("Can I return my gaiwan?");
    await page.getByTestId("body-preview").click();
    const preview = page.getByTestId("article-preview");
    assert.equal(await preview.locator("strong").textContent(), "within 30 days");
    assert.deepEqual(await preview.locator("li").allTextContents(), ["Print the label", "Hand it in"]);
    assert.equal(await preview.locator("script, a").count(), 0, "no markup and no address that does something");
    assert.match(await preview.textContent(), /<script>alert\(1\)<\/script>/);
    await checkThemes(page, "an article with its look");
    await page.getByTestId("article-category").fill("Returns");
    await page.getByTestId("article-published").check();
    await page.getByTestId("article-save").click();
    await page.waitForURL(/#\/knowledge\/(?!new)\w+$/);
    id = /knowledge\/(\w+)$/.exec(page.url())[1];
    await page.getByTestId("article-about").waitFor();
    await page.getByTestId("article-zh-CN").click();
    await page.getByTestId("article-title").fill("盖碗怎么退货？");
    await page.getByTestId("article-summary").fill("30 天内免费退货。");
    await page.getByTestId("article-body").fill("未使用的盖碗 30 天内可以退货。");
    await page.getByTestId("article-category-name").fill("退换");
    await save(page);
    const article = await stored();
    assert.deepEqual([article.slug, article.category, article.state, Object.keys(article.texts).sort()], ["how-do-i-send-a-gaiwan-back", "Returns", "published", ["en", "zh-CN"]]);
    assert.deepEqual(article.texts.en.questions, ["Can I return my gaiwan?"]);
    assert.deepEqual([article.texts.en.category, article.texts["zh-CN"].category], ["", "退换"]);
    await page.getByTestId("help-link").waitFor();
    const help = await page.getByTestId("help-link").getAttribute("href");
    assert.match(help, /\/help\/[^/]+\/\S+\/how-do-i-send-a-gaiwan-back$/);
    const centre = help.replace(/\/[^/]+\/[^/]+$/, "");
    for (const [language, name] of [["en", "Returns"], ["zh-CN", "退换"]]) {
      const shown = await (await fetch(`${centre}?lang=${language}`)).text();
      assert.ok(shown.includes(`>${name}</a>`), `${language}: ${shown.slice(0, 2000)}`);
    }
  });

  it("says what an article lacks, in the language that lacks it", async () => {
    const { page } = boss;
    await open(page, id);
    await page.getByTestId("article-zh-CN").click();
    await page.getByTestId("article-body").fill("");
    await page.getByTestId("article-en").click();
    await page.getByTestId("article-save").click();
    await page.locator(".field-error").filter({ hasText: "needs a text in each language" }).waitFor();
    assert.equal(await page.evaluate(() => document.activeElement?.getAttribute("data-testid")), "article-body", "the keyboard is where something lacks");
    assert.equal(await page.getByTestId("article-title").inputValue(), "盖碗怎么退货？", "the language that lacks it is shown");
    await checkAccess(page, "an article that lacks something");
    // Leaving asks first; what was changed is given up.
    await page.getByTestId("nav-waiting").click();
    await page.getByTestId("leave-stay").click();
    assert.equal(await page.getByTestId("article-body").inputValue(), "");
    await page.getByTestId("nav-waiting").click();
    await page.getByTestId("leave-discard").click();
    await page.getByTestId("waiting-page").waitFor();
    assert.notEqual((await stored()).texts["zh-CN"].body, "");
  });

  it("is found by words, category and state, with the languages it has", async () => {
    const { page } = boss;
    await open(page);
    await page.getByTestId("article-search").fill("gaiwan back");
    const line = page.getByTestId("article").filter({ hasText: "How do I send a gaiwan back?" });
    await line.waitFor();
    for (const words of ["Published", "Returns", "Written in English", "Written in Chinese"]) assert.ok((await line.textContent()).includes(words), words);
    await page.getByTestId("article-state").selectOption("draft");
    await line.waitFor({ state: "detached" });
    await page.getByTestId("article-state").selectOption("");
    await line.waitFor();
    await page.getByTestId("article-search").fill("zzzz");
    await page.getByText("Nothing found").waitFor();
    await checkThemes(page, "no article found");
    await page.getByRole("button", { name: "Show all articles" }).click();
    await page.getByTestId("articles").waitFor();
    await checkThemes(page, "articles");
  });

  it("is tried with a question: what the bot would do, how well each article fits, by which words", async () => {
    const { page } = boss;
    await open(page);
    assert.ok(await page.getByTestId("question-try").isDisabled());
    await page.getByTestId("question").fill("Can I return my gaiwan?");
    await page.getByTestId("question").press("Control+Enter");
    await page.locator('[data-testid="question-outcome"][data-outcome="answer"]').waitFor();
    const first = page.getByTestId("found").first();
    assert.match(await first.textContent(), /How do I send a gaiwan back\?.*\d+%/);
    assert.ok((await first.locator("mark").count()) > 0, "words that were found are marked");
    assert.match(await page.getByTestId("question-result").textContent(), /in (less than 0\.1|\d\.\d|\d+) ms/);
    await checkThemes(page, "a question that was tried");
    await page.getByTestId("question").fill("What does the moon weigh?");
    await page.getByTestId("question-result").getByText("as it was before").waitFor();
    await page.getByTestId("question-try").click();
    await page.locator('[data-testid="question-outcome"][data-outcome="nothing"]').waitFor();
  });

  it("keeps one's own words where somebody else was faster, and shows theirs when asked", async () => {
    const { page } = boss;
    people[0].expect(/status of 412.*\/articles/);
    const faster = async (summary) => {
      const { slug, category, state, texts, revision } = await stored();
      await api("PUT", `articles/${id}`, { slug, category, state, texts: { ...texts, en: { ...texts.en, summary } }, revision });
    };
    await open(page, id);
    await faster("Theirs.");
    await page.getByTestId("article-summary").fill("Mine.");
    await page.getByTestId("article-save").click();
    await page.getByTestId("conflict").waitFor();
    assert.equal(await page.getByTestId("article-summary").inputValue(), "Mine.");
    assert.equal((await stored()).texts.en.summary, "Theirs.");
    await checkThemes(page, "an article that somebody else changed");
    await save(page);
    assert.equal((await stored()).texts.en.summary, "Mine.");
    await faster("Theirs again.");
    await page.getByTestId("article-summary").fill("Mine again.");
    await page.getByTestId("article-save").click();
    await page.getByTestId("conflict-theirs").click();
    await page.getByTestId("conflict").waitFor({ state: "detached" });
    assert.equal(await page.getByTestId("article-summary").inputValue(), "Theirs again.");
    assert.equal(await page.getByTestId("save-bar").count(), 0, "nothing is left to save");
  });

  it("comes in from files, and says by file and line what did not", async () => {
    const { page } = boss;
    await open(page);
    await page.getByTestId("import-articles").click();
    const table = "question,answer,category\nDo you wrap gifts?,We do.,Orders\nWho pays?,,Orders\n";
    await page.getByTestId("import-files").setInputFiles([{ name: "faq.csv", mimeType: "text/csv", buffer: Buffer.from(table) }]);
    await checkThemes(page, "an import");
    await page.getByTestId("import-submit").click();
    await page.getByTestId("import-result").waitFor();
    assert.match(await page.getByTestId("import-result").textContent(), /1\s*New|New\s*1/);
    await page.getByTestId("problems").getByText("faq.csv:3").waitFor();
    await checkThemes(page, "what was imported");
    await page.getByTestId("import-close").click();
    await page.getByTestId("article-search").fill("wrap");
    await page.getByTestId("article").filter({ hasText: "Do you wrap gifts?" }).waitFor();
    // Of two kinds at once nothing can be made.
    await page.getByTestId("import-articles").click();
    await page.getByTestId("import-files").setInputFiles(["a.md", "b.csv"].map((name) => ({ name, mimeType: "text/plain", buffer: Buffer.from("x") })));
    await page.getByTestId("import-dialog").getByRole("alert").waitFor();
    assert.ok(await page.getByTestId("import-submit").isDisabled());
    await page.keyboard.press("Escape");
    await page.getByTestId("import-dialog").waitFor({ state: "detached" });
  });

  it("reads no website that is none, nor one inside this network", async () => {
    const { page } = boss;
    people[0].expect(/status of 4(00|22).*\/articles\/crawl/);
    await open(page);
    await page.getByTestId("crawl-articles").click();
    await page.getByTestId("crawl-sitemap").fill("not an address");
    assert.ok(await page.getByTestId("crawl-submit").isDisabled());
    await page.getByTestId("crawl-sitemap").fill("http://127.0.0.1/sitemap.xml");
    await checkThemes(page, "a crawl");
    await page.getByTestId("crawl-submit").click();
    await page.locator('[data-testid="crawl-progress"][data-state="failed"]').or(page.getByTestId("crawl-dialog").locator(".field-error, [role=alert]")).first().waitFor();
    await page.keyboard.press("Escape");
  });

  it("is read by who answers visitors, and not changed", async () => {
    const { page } = lin;
    await page.getByTestId("nav-knowledge").click();
    await page.getByTestId("articles").waitFor();
    assert.equal(await page.getByTestId("add-article").count(), 0);
    await page.getByTestId("article-search").fill("gaiwan back");
    await page.getByTestId("article").filter({ hasText: "gaiwan back" }).click();
    await page.getByTestId("article-read").waitFor();
    assert.equal(await page.getByTestId("article-read").locator("strong").textContent(), "within 30 days");
    assert.equal(await page.getByTestId("article-title").count(), 0);
    await checkThemes(page, "an article that is read");
    await page.goto(`${server.url}#/knowledge/new`);
    await page.getByText("Not for your role").waitFor();
  });

  it("speaks Chinese on a phone, and nothing scrolls sideways", async () => {
    const person = await withAxe(await Person.arrive(browser, { locale: "zh-CN", viewport: { width: 390, height: 844 } }));
    people.push(person);
    const { page } = await Agent.enter(await person.page(), server.url, "owner");
    for (const article of [undefined, id]) {
      await open(page, article);
      await checkAccess(page, `knowledge on a phone, ${article ?? "list"}`);
      assert.equal(await page.getByTestId("knowledge-page").evaluate((one) => one.scrollWidth - one.clientWidth), 0);
      if (article === undefined) await page.getByTestId("article").filter({ hasText: "退换" }).first().waitFor();
    }
    assert.equal(await page.getByTestId("article-title").inputValue(), "盖碗怎么退货？", "the reader's language first");
    await open(page);
    await page.getByTestId("question").fill("盖碗可以退吗");
    await page.getByTestId("question-try").click();
    await page.getByTestId("found").first().filter({ hasText: "盖碗怎么退货？" }).waitFor();
  });

  it("is removed by keyboard, once it has been asked", async () => {
    const { page } = boss;
    people[0].expect(/status of 404.*\/articles/);
    await open(page, id);
    await page.getByTestId("remove-article").focus();
    await page.keyboard.press("Enter");
    await page.getByTestId("confirm-dialog").waitFor();
    await page.keyboard.press("Escape");
    await page.getByTestId("confirm-dialog").waitFor({ state: "detached" });
    assert.equal(await page.evaluate(() => document.activeElement?.getAttribute("data-testid")), "remove-article");
    await page.keyboard.press("Enter");
    await page.getByTestId("confirm-submit").focus();
    await page.keyboard.press("Enter");
    await page.waitForURL(/#\/knowledge$/);
    await assert.rejects(stored(), /404/);
  });
});
