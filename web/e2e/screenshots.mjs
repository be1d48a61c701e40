// Pictures of every view: both languages, light and dark, at three widths, from a demo that looks
// lived in. Into e2e/screenshots, which is not kept; the two of the README go to docs/images.
import { mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { URL, fileURLToPath } from "node:url";
import { Agent } from "./support/agent.mjs";
import { Person, end, launch } from "./support/browser.mjs";
import { Crowd } from "./support/crowd.mjs";
import { picture } from "./support/picture.mjs";
import { Server } from "./support/server.mjs";
import { Visitor } from "./support/visitor.mjs";

const OUT = fileURLToPath(new URL("screenshots", import.meta.url));
const IMAGES = fileURLToPath(new URL("../../docs/images", import.meta.url));
const WIDTHS = [
  [1440, 900],
  [1024, 768],
  [390, 844],
];
const LOOKS = ["light", "dark"];
const LOCALES = ["en", "zh-CN"];
const SETTINGS = ["profile", "people", "teams", "inboxes", "replies", "keys", "limits"];

const GUESTS = {
  en: ["Do you ship to Norway?", "My order arrived with a chipped lid, what can I do?", "Is the stoneware teapot fine for green tea?", "Can I collect it from the workshop on Saturday?"],
  "zh-CN": ["请问盖碗可以放洗碗机吗？", "订单显示已签收，但是我还没有收到货", "能开发票吗？抬头需要写公司名", "紫砂壶和粗陶壶哪个更适合泡绿茶？"],
};
const TALK = {
  en: {
    opening: "Hello! I would like to give a tea set as a present. Does the celadon gaiwan come in a box?",
    answers: ["Good afternoon! Yes, it comes in a padded wooden box with a cloth.", "Here is how it looks:"],
    thanks: "That is lovely. How long does it take to Hamburg?",
    note: "She bought four cups in May, offer the returning customer's discount.",
    last: "About six days. I can put a card with it, what shall it say?",
    typing: "Please write: for many quiet mornin",
  },
  "zh-CN": {
    opening: "您好！我想买一套茶具送人，请问青瓷盖碗有礼盒包装吗？",
    answers: ["下午好！有的，是带软垫的木盒，还配一块茶巾。", "礼盒是这样的："],
    thanks: "很好看。寄到杭州要多久？",
    note: "五月买过四只小杯，可以给老客户折扣。",
    last: "大约两天。可以附一张贺卡，您想写什么？",
    typing: "请写：愿您每个清晨都",
  },
};

let taken = 0;

async function shot(page, ...name) {
  // What is still on its way is a picture of nothing.
  await page.waitForFunction(() => document.querySelector(".skeleton") === null && [...document.querySelectorAll("button.picture")].every((place) => place.querySelector("img")));
  // Words and pictures first, and no caret that blinks.
  await page.evaluate(() => document.fonts.ready);
  await page.evaluate(() => Promise.all([...document.images].map((image) => image.decode().catch(() => undefined))));
  await page.screenshot({ path: join(OUT, `${name.join("-")}.png`), animations: "disabled", caret: "hide" });
  taken += 1;
}

/** Every look of a view that is already on the screen. */
async function looks(page, locale, view, { widths = WIDTHS, before = async () => undefined } = {}) {
  for (const [width, height] of widths) {
    await page.setViewportSize({ width, height });
    for (const colorScheme of LOOKS) {
      await page.emulateMedia({ colorScheme, reducedMotion: "reduce" });
      await before(width);
      await shot(page, view, locale, colorScheme, width);
    }
  }
  await page.setViewportSize({ width: 1440, height: 900 });
  await page.emulateMedia({ colorScheme: "light", reducedMotion: "reduce" });
}

async function furnish(api) {
  const replies = [
    { shortcut: "hello", texts: { en: "Hello {{visitor}}, how can I help?", "zh-CN": "{{visitor}}您好，请问有什么可以帮您？" } },
    { shortcut: "fh", texts: { en: "Your parcel leaves today.", "zh-CN": "您的包裹今天发货。" } },
    { shortcut: "thanks", texts: { en: "Thank you for writing to us.", "zh-CN": "感谢您的来信。" } },
  ];
  for (const reply of replies) await api("POST", "canned-replies", reply);
}

async function views(browser, locale) {
  const people = [];
  const server = await Server.start();
  try {
    const arrive = async (options) => {
      const person = await Person.arrive(browser, { locale, ...options });
      people.push(person);
      return person;
    };
    const inboxKey = await server.inboxKey();
    await furnish(await server.api());
    const crowd = await Crowd.gather(await arrive(), server.url, inboxKey);
    const lin = await arrive();
    const desk = await lin.page();
    await desk.goto(server.url);
    await desk.getByTestId("continue-as-agent").waitFor();
    await looks(desk, locale, "sign-in");
    const agent = await Agent.enter(desk, server.url, "agent");
    await looks(desk, locale, "inbox-empty");

    const ann = await arrive();
    const shop = await ann.page();
    await shop.goto(new URL("demo", server.url).href);
    await shop.locator("#frontdesk-launcher button").waitFor();
    await looks(shop, locale, "shop");
    const visitor = await Visitor.atShop(shop, server.url);
    await looks(shop, locale, "widget-first");

    const talk = TALK[locale];
    await visitor.say(talk.opening);
    await agent.open(talk.opening.slice(0, 12));
    await agent.message(talk.opening.slice(0, 12)).waitFor();
    await agent.say(talk.answers[0]);
    await agent.say(talk.answers[1]);
    const box = await picture(desk, 640, 420, "#8fa89a");
    await desk.getByTestId("composer-file").setInputFiles({ name: "box.png", mimeType: "image/png", buffer: box });
    await desk.locator('[data-testid="attachment"][data-state="stored"]').waitFor();
    await agent.input.press("Enter");
    await visitor.chat.locator(".message-other .picture img").waitFor();
    await visitor.say(talk.thanks);
    await agent.message(talk.thanks).waitFor();
    await desk.getByTestId("mode-note").click();
    await agent.say(talk.note);
    await desk.getByTestId("mode-reply").click();
    await agent.say(talk.last);
    await visitor.message(talk.last).waitFor();
    for (const text of GUESTS[locale]) await crowd.join(text, { language: locale });
    for (const other of LOCALES.filter((one) => one !== locale)) for (const text of GUESTS[other]) await crowd.join(text, { language: other });
    await agent.row(GUESTS[locale][0]).waitFor();
    await visitor.input.fill(talk.typing);
    await desk.getByTestId("typing").filter({ hasText: talk.typing.slice(0, 6) }).waitFor();
    await shot(desk, "conversation-typing", locale);
    await looks(desk, locale, "conversation");
    await looks(shop, locale, "widget-conversation");
    await visitor.input.fill("");
    await visitor.chat.locator(".latest").waitFor({ state: "detached" });
    if (locale === "en") {
      await desk.screenshot({ path: join(IMAGES, "console.png"), animations: "disabled", caret: "hide" });
      await shop.screenshot({ path: join(IMAGES, "widget.png"), animations: "disabled", caret: "hide" });
    }

    await desk.getByTestId("mode-note").click();
    await shot(desk, "composer-note", locale);
    await desk.getByTestId("mode-reply").click();
    await agent.input.fill("/");
    await agent.input.press("End");
    await desk.getByTestId("composer-replies").click();
    await desk.getByTestId("replies-menu").waitFor();
    await shot(desk, "replies", locale);
    await agent.input.fill("");
    await desk.getByTestId("transfer-button").click();
    await desk.getByTestId("transfer-dialog").waitFor();
    await looks(desk, locale, "transfer");
    await desk.keyboard.press("Escape");
    await agent.rail().click();
    await looks(desk, locale, "own-menu", { widths: WIDTHS.slice(0, 1) });
    await desk.keyboard.press("Escape");
    await desk.getByTestId("timeline").focus();
    await desk.keyboard.press("?");
    await shot(desk, "shortcuts", locale);
    await desk.keyboard.press("Escape");
    await desk.keyboard.press("Control+k");
    await shot(desk, "palette", locale);
    await desk.keyboard.press("Escape");
    await desk.goto(`${server.url}#/inbox/mine`);
    await looks(desk, locale, "list");
    await agent.view("queue");
    await looks(desk, locale, "queue");
    await desk.goto(`${server.url}#/waiting`);
    await looks(desk, locale, "waiting");

    const boss = await (await arrive()).page();
    await Agent.enter(boss, server.url, "owner");
    for (const section of SETTINGS) {
      await boss.goto(`${server.url}#/settings/${section}`);
      await boss.locator("main h1, main h2").first().waitFor();
      await looks(boss, locale, `settings-${section}`);
    }

    const alone = await Visitor.alone(await ann.page(), server.url, inboxKey);
    await alone.message(talk.last).waitFor();
    await looks(alone.page, locale, "page");
    await desk.goto(`${server.url}#/inbox/mine`);
    await agent.open(talk.last.slice(0, 8));
    await desk.getByTestId("close-button").click();
    await alone.chat.locator(".rating").waitFor();
    await looks(alone.page, locale, "page-closed");
    await agent.view("closed");
    await shot(desk, "closed", locale);
  } finally {
    // Complaints are the tests' matter.
    for (const person of people) await person.context.close();
    await server.stop();
  }
}

async function firstStart(browser, locale) {
  const server = await Server.start({ demo: false });
  const person = await Person.arrive(browser, { locale });
  try {
    const page = await person.page();
    await page.goto(await server.setUpLink());
    await page.getByTestId("set-up-account").waitFor();
    await looks(page, locale, "set-up");
  } finally {
    await person.context.close();
    await server.stop();
  }
}

rmSync(OUT, { recursive: true, force: true });
for (const dir of [OUT, IMAGES]) mkdirSync(dir, { recursive: true });
const browser = await launch();
try {
  for (const locale of LOCALES) {
    await firstStart(browser, locale);
    await views(browser, locale);
  }
} finally {
  await end(browser);
}
console.log(`${taken} pictures in ${OUT}`);
