// Every view of the console and of the widget, how to get there and how to leave it: for tests that
// look at all of them. What the sources know and no row shows is named by `unseen`.
import { Buffer } from "node:buffer";
import { readFileSync, readdirSync } from "node:fs";
import { URL, fileURLToPath } from "node:url";

const APPS = new URL("../../apps/", import.meta.url);
const source = (path) => readFileSync(new URL(path, APPS), "utf8");

/** What opens over a page goes by such names. */
const OVER = /-(?:dialog|menu|panel|banner)$|^palette$|-help$/;
const escape = ({ page }) => page.keyboard.press("Escape");
const seen = (testid) => ({ page }) => page.getByTestId(testid).first().waitFor();

function listOf(name) {
  return [...new RegExp(`${name} = \\[([^\\]]*)\\]`).exec(source("console/src/model/route.ts"))[1].matchAll(/"(\w+)"/g)].map((match) => match[1]);
}

/** Pages that have an address. */
function pages() {
  const settings = listOf("settingsPages").map((section) => ({
    name: `settings/${section}`,
    go: async ({ page, url }) => {
      await page.goto(`${url}#/settings/${section}`);
      await page.getByTestId("settings-page").waitFor();
      await page.locator(".skeleton, [aria-busy=true]").first().waitFor({ state: "detached" });
    },
  }));
  const lists = listOf("listViews").map((view) => ({
    name: `inbox/${view}`,
    go: async ({ page, url }) => {
      await page.goto(`${url}#/inbox/${view}`);
      await page.getByTestId("list-search").waitFor();
    },
  }));
  const welcome = listOf("welcomeSteps").map((step) => ({
    name: `welcome/${step}`,
    go: async ({ page, url }) => {
      await page.goto(`${url}#/welcome/${step}`);
      await page.getByTestId("welcome-next").waitFor();
    },
  }));
  const waiting = {
    name: "waiting",
    go: async ({ page, url }) => {
      await page.goto(`${url}#/waiting`);
      await page.getByTestId("waiting-page").waitFor();
    },
  };
  return [...lists, waiting, ...knowledge(), ...settings, ...welcome];
}

/** What the team knows, and what opens over it. */
function knowledge() {
  const open = async ({ page, url }) => {
    await page.goto(`${url}#/knowledge`);
    await page.getByTestId("add-article").waitFor();
    await page.locator(".skeleton").first().waitFor({ state: "detached" });
  };
  const over = (press, shows) => ({
    name: `knowledge, ${shows}`,
    go: async (context) => {
      await open(context);
      await context.page.getByTestId(press).click();
      await context.page.getByTestId(shows).waitFor();
    },
    leave: escape,
  });
  return [
    { name: "knowledge", go: open },
    over("import-articles", "import-dialog"),
    over("crawl-articles", "crawl-dialog"),
    {
      name: "knowledge, a new article",
      go: async ({ page, url }) => {
        await page.goto(`${url}#/knowledge/new`);
        await page.getByTestId("article-body").waitFor();
      },
    },
  ];
}

/** What opens by a press on a page of the settings: page, then what to press one after the other, then what shows. */
const DIALOGS = [
  ["people", ["add-person"], "person-dialog"],
  ["people", ["invite-person"], "invite-dialog"],
  ["people", ["person-menu"], "person-edit"],
  ["people", ["person-menu", "person-password"], "password-dialog"],
  ["people", ["person-menu", "person-disable"], "confirm-dialog"],
  ["rights", ["role"], "right-conversation.write"],
  ["rights", ["add-role"], "role-name-en"],
  ["teams", ["add-team"], "team-dialog"],
  ["inboxes", ["add-inbox"], "inbox-dialog"],
  ["intents", ["add-target"], "target-dialog"],
  ["intents", ["add-rule"], "rule-dialog"],
  ["flows", ["add-flow"], "flow-dialog"],
  ["words", ["add-word-rule"], "word-rule-dialog"],
  ["replies", ["add-reply"], "reply-dialog"],
  ["keys", ["add-key"], "key-dialog"],
];

function dialogs() {
  return DIALOGS.map(([section, presses, shows]) => ({
    name: `settings/${section}, ${shows}`,
    go: async ({ page, url }) => {
      await page.goto(`${url}#/settings/${section}`);
      for (const press of presses) await page.getByTestId(press).last().click();
      await page.getByTestId(shows).first().waitFor();
    },
    leave: escape,
  }));
}

/** The parts of an inbox's settings, each with what it shows. */
const INBOX_PARTS = [
  ["install", "inbox-snippet"],
  ["basics", "inbox-name"],
  ["texts", "inbox-greeting"],
  ["look", "preview"],
  ["hours", "hours-week"],
  ["identity", "add-secret"],
  ["limits", "setting"],
];

/** The pages of one inbox, and what opens over them. */
function inboxParts() {
  const open = async ({ page, url }, part, shows) => {
    await page.goto(`${url}#/settings/inboxes`);
    await page.getByTestId("inbox-install-tab").or(page.getByTestId("inbox-line")).first().waitFor();
    if (!(await page.getByTestId("inbox-install-tab").isVisible())) await page.getByTestId("inbox-line").first().click();
    await page.getByTestId(`inbox-${part}-tab`).click();
    await page.getByTestId(shows).first().waitFor();
  };
  return [
    ...INBOX_PARTS.map(([part, shows]) => ({ name: `inbox settings, ${part}`, go: (context) => open(context, part, shows) })),
    {
      name: "inbox settings, a new secret",
      go: async (context) => {
        await open(context, "identity", "add-secret");
        await context.page.getByTestId("add-secret").click();
        await context.page.getByTestId("secret-dialog").waitFor();
      },
      leave: escape,
    },
    {
      name: "inbox settings, leaving what is not saved",
      go: async (context) => {
        await open(context, "basics", "inbox-name");
        await context.page.getByTestId("inbox-name").fill("another name");
        await context.page.getByTestId("nav-waiting").click();
        await context.page.getByTestId("leave-dialog").waitFor();
      },
      leave: ({ page }) => page.getByTestId("leave-discard").click(),
    },
  ];
}

/** A conversation of Chinese and English, with everything in it; then what opens over it. */
function conversation() {
  const open = async ({ page, url, conversation: id }) => {
    await page.goto(`${url}#/inbox/all/${id}`);
    await page.getByTestId("timeline").waitFor();
    await page.getByTestId("composer-input").waitFor();
  };
  const over = (name, press, shows, leave = escape) => ({
    name,
    go: async (context) => {
      await open(context);
      await press(context);
      await seen(shows)(context);
    },
    leave,
  });
  const sign = (mode, text) => async ({ page }) => {
    await page.getByTestId(`mode-${mode}`).click();
    await page.getByTestId("composer-input").fill("");
    await page.getByTestId("composer-input").pressSequentially(text);
  };
  const clear = async ({ page }) => {
    await page.keyboard.press("Escape");
    await page.getByTestId("composer-input").fill("");
    await page.getByTestId("mode-reply").click();
  };
  return [
    { name: "conversation", go: open },
    over("conversation, note mode", sign("note", "a note"), "composer", clear),
    over("conversation, canned replies", sign("reply", "/"), "replies-menu", clear),
    over("conversation, mention", sign("note", "@"), "mentions-menu", clear),
    over("conversation, emoji by its name", sign("reply", ":smi"), "emoji-menu", clear),
    over("conversation, emoji", ({ page }) => page.getByTestId("composer-emoji").click(), "emoji-panel"),
    over("conversation, quote", async ({ page }) => {
      const message = page.locator('[data-testid="message"][data-side="visitor"]').first();
      await message.hover();
      await message.getByTestId("quote-button").click();
    }, "composer-quote", ({ page }) => page.locator('[data-testid="composer-quote"] button').last().click()),
    over("conversation, transfer", ({ page }) => page.getByTestId("transfer-button").click(), "transfer-dialog"),
    over("conversation, its menu", ({ page }) => page.getByTestId("more-button").click(), "more-button"),
    over("conversation, own menu", ({ page }) => page.getByTestId("presence-switch").click(), "presence-away"),
    over("conversation, shortcuts", async ({ page }) => {
      await page.getByTestId("timeline").focus();
      await page.keyboard.press("?");
    }, "shortcut-help"),
    over("conversation, palette", ({ page }) => page.keyboard.press("Control+k"), "palette"),
    over("list, nothing found", ({ page }) => page.getByTestId("list-search").fill("zzzz"), "list-search", ({ page }) => page.getByTestId("list-search").fill("")),
    {
      name: "conversation that is not there",
      go: async ({ page, url }) => {
        await page.goto(`${url}#/inbox/all/${"0".repeat(20)}`);
        await page.getByRole("alert").first().waitFor();
      },
    },
  ];
}

/** Signed in as the owner: `{ page, url, conversation }`. */
export const CONSOLE = [...conversation(), ...pages(), ...dialogs(), ...inboxParts()];

const button = (chat, words) => chat.getByRole("button", { name: words }).first();
const MENU = /More|更多|Menu|菜单/;

/** A visitor at the shop, in this order: `{ page, visitor, full, answer, ask, close, away }`; `draws`: the files each is made of. */
export const WIDGET = [
  {
    name: "first view",
    draws: ["app.tsx", "header.tsx", "timeline.tsx", "welcome.tsx", "lazy.tsx"],
    go: ({ visitor }) => visitor.input.waitFor(),
  },
  {
    name: "emoji",
    draws: ["emoji.tsx"],
    go: async ({ visitor }) => {
      await visitor.chat.locator(".composer-emoji").click();
      await visitor.chat.locator(".emoji").waitFor();
    },
    leave: ({ page }) => page.keyboard.press("Escape"),
  },
  {
    name: "a text that is too long",
    draws: ["trouble.tsx"],
    go: async ({ visitor }) => {
      await visitor.input.fill("long ".repeat(20_000));
      await visitor.chat.locator(".composer-note").waitFor();
    },
    leave: ({ visitor }) => visitor.input.fill(""),
  },
  {
    name: "nobody is there",
    draws: ["contact.tsx", "body.tsx", "linked.tsx"],
    go: async ({ visitor }) => {
      await visitor.say("Is it https://shop.example/gaiwan that comes in a box? 请问有礼盒吗？");
      await visitor.chat.locator(".contact").waitFor();
    },
  },
  {
    name: "queue",
    draws: ["queue.tsx"],
    go: async ({ visitor, full }) => {
      await full();
      await visitor.chat.locator(".queue-place").waitFor();
    },
  },
  {
    name: "conversation",
    draws: ["file.tsx", "attachment.tsx"],
    go: async ({ visitor, answer }) => {
      await answer();
      await visitor.chat.locator(".message-other .picture img").waitFor();
      await visitor.chat.locator(".message-other .attachment").waitFor();
    },
  },
  {
    name: "a picture in its full size",
    draws: ["large.tsx"],
    go: async ({ visitor }) => {
      await visitor.chat.locator(".message-other .picture img").click();
      await visitor.chat.locator(".large").waitFor();
    },
    leave: ({ page }) => page.keyboard.press("Escape"),
  },
  {
    name: "quote",
    draws: ["quote.tsx"],
    go: async ({ visitor }) => {
      // The button is there for the message under the pointer.
      const message = visitor.chat.locator(".message-other").filter({ has: visitor.page.locator(".reply") }).first();
      await message.hover();
      await message.locator(".reply").click();
      await visitor.chat.locator(".quoting").waitFor();
      await visitor.say("About this.");
      await visitor.chat.locator(".bubble .quote").waitFor();
    },
  },
  {
    name: "buttons, and a form with a mistake",
    draws: ["asked.tsx", "form.tsx"],
    go: async ({ visitor, ask }) => {
      await ask();
      await visitor.chat.locator(".choices button").first().waitFor();
      await visitor.chat.locator("form.asked button[type=submit]").click();
      await visitor.chat.locator(".card-failed").first().waitFor();
    },
  },
  {
    name: "the form filled in",
    draws: ["values.tsx"],
    go: async ({ visitor }) => {
      await visitor.chat.locator("form.asked input[inputmode=email]").fill("ann@example.com");
      await visitor.chat.locator("form.asked .radio").first().click();
      await visitor.chat.locator("form.asked button[type=submit]").click();
      await visitor.chat.locator(".message-own .filled-in").waitFor();
      await visitor.allSent();
    },
  },
  {
    name: "reading further up",
    draws: ["latest.tsx"],
    go: async ({ visitor }) => {
      await visitor.chat.locator(".scroller").evaluate((scroller) => (scroller.scrollTop = 0));
      await visitor.chat.locator(".latest").waitFor();
    },
    leave: ({ visitor }) => visitor.chat.locator(".latest").click(),
  },
  {
    name: "a file held over it",
    draws: ["drop.tsx"],
    go: async ({ visitor }) => {
      await visitor.chat.locator(".conversation").evaluate((element) => {
        const dataTransfer = new DataTransfer();
        dataTransfer.items.add(new File(["tea"], "tea.txt"));
        element.dispatchEvent(new window.DragEvent("dragover", { dataTransfer, bubbles: true, cancelable: true }));
      });
      await visitor.chat.locator(".drop").waitFor();
    },
    leave: ({ visitor }) => visitor.chat.locator(".conversation").evaluate((element) => element.dispatchEvent(new window.DragEvent("dragleave", { bubbles: true }))),
  },
  {
    name: "menu",
    draws: ["menu.tsx"],
    go: async ({ visitor }) => {
      await button(visitor.chat.locator(".header"), MENU).click();
      await visitor.chat.getByRole("menuitem").first().waitFor();
    },
    leave: ({ page }) => page.keyboard.press("Escape"),
  },
  {
    name: "a question before it ends",
    draws: ["questions.tsx"],
    go: async ({ visitor }) => {
      await button(visitor.chat.locator(".header"), MENU).click();
      await visitor.chat.getByRole("menuitem").last().click();
      await visitor.chat.locator("dialog, [role=dialog]").waitFor();
    },
    leave: ({ page }) => page.keyboard.press("Escape"),
  },
  {
    name: "a file that is refused",
    draws: ["uploads.tsx"],
    go: async ({ visitor }) => {
      await visitor.chat.locator('.composer input[type="file"]').setInputFiles({ name: "empty.txt", mimeType: "text/plain", buffer: Buffer.alloc(0) });
      await visitor.chat.locator(".uploads").waitFor();
    },
    leave: ({ visitor }) => visitor.chat.locator(".uploads button").first().click(),
  },
  {
    name: "closed, with the question how it was",
    draws: ["rating.tsx"],
    go: async ({ visitor, close }) => {
      await close();
      await visitor.chat.locator(".rating label").nth(3).click();
      await visitor.chat.locator(".rating textarea").waitFor();
    },
  },
  {
    name: "a message that is refused",
    draws: ["refused.tsx"],
    go: async ({ visitor, away }) => {
      // Without a connection nobody knows yet how long a text may be; the server says it.
      await away(async () => {
        await visitor.chat.locator(".banner").waitFor();
        await visitor.say("long ".repeat(20_000));
      });
      await visitor.chat.locator(".message-refused .link").first().waitFor();
    },
    leave: ({ visitor }) => visitor.chat.locator(".message-refused .link").last().click(),
  },
];

/** What opens over a page by the sources, and was not among `shown`. */
export function unseen(shown) {
  const folder = fileURLToPath(new URL("console/src/view", APPS));
  const files = readdirSync(folder, { recursive: true }).filter((name) => name.endsWith(".tsx"));
  const lines = files.flatMap((name) => source(`console/src/view/${name}`).match(/testids?\b.*/g) ?? []);
  const names = new Set(lines.flatMap((line) => [...line.matchAll(/"([a-z]+(?:-[a-z]+)*)"/g)].map((match) => match[1])).filter((name) => OVER.test(name)));
  return [...names].filter((name) => !shown.has(name));
}

/** Views of the widget that no row names: each is a file of its own. */
export function unnamed(rows) {
  const named = new Set(rows.flatMap(({ draws }) => draws));
  return readdirSync(fileURLToPath(new URL("widget/src/view", APPS))).filter((name) => name.endsWith(".tsx") && !named.has(name));
}
