// Chinese and emoji are drawn by fonts that have them, in the console, the widget and the shop.
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { Agent } from "../support/agent.mjs";
import { Person, end, launch } from "../support/browser.mjs";
import { checkGlyphs, missing } from "../support/glyphs.mjs";
import { Server } from "../support/server.mjs";
import { Visitor } from "../support/visitor.mjs";

const SAID = "请问粗陶壶哪天发货？我住在北京市朝阳区，急着送人 🎁🍵 谢谢！龘靐𠮷";
const ANSWERED = "您好，今天下午发货 😀👍🏽 预计三天到。「」《》——……";

describe("in Chinese", () => {
  let server, browser, people, agent, visitor;

  before(async () => {
    server = await Server.start();
    browser = await launch();
    people = await Promise.all([1, 2].map(() => Person.arrive(browser, { locale: "zh-CN" })));
  });

  after(() => end(people, browser, server));

  it("a missing character would be seen", async () => {
    const page = await people[0].page();
    await page.goto(server.url);
    const found = await page.evaluate(missing, { texts: "茶 \u{10fffe}", nobodys: "\u{10fffd}" });
    assert.deepEqual(found.boxes, ["\u{10fffe}"]);
    await page.getByTestId("continue-as-owner").waitFor();
    const { han } = await checkGlyphs(page, "sign-in");
    assert.ok(han > 20);
    await page.close();
  });

  it("the shop, the widget and the console draw every character", async () => {
    agent = await Agent.enter(await people[0].page(), server.url, "owner");
    visitor = await Visitor.atShop(await people[1].page(), server.url);
    const frame = visitor.page.frames().find((one) => one.url().includes("/widget/"));
    assert.ok((await checkGlyphs(visitor.page, "shop")).han > 50);
    assert.ok((await checkGlyphs(visitor.page, "widget, first view", frame)).han > 10);
    await visitor.say(SAID);
    await agent.open("粗陶壶");
    await agent.message("龘靐𠮷").waitFor();
    await agent.say(ANSWERED);
    await visitor.message("预计三天到").waitFor();
    for (const { han, emoji } of [await checkGlyphs(visitor.page, "widget, conversation", frame), await checkGlyphs(agent.page, "conversation")]) assert.ok(han > 40 && emoji >= 4, `${han} and ${emoji}`);
    await agent.page.goto(`${server.url}#/settings/limits`);
    await agent.page.getByTestId("setting").first().waitFor();
    assert.ok((await checkGlyphs(agent.page, "limits")).han > 100);
  });
});
