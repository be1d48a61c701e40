// Every page of the settings, as the owner of a lived-in demo sees them.
import { Agent } from "../support/agent.mjs";
import { lived, stage } from "./stage.mjs";
import { WORDS } from "./words.mjs";

const PAGES = ["profile", "people", "rights", "teams", "inboxes", "intents", "bot", "flows", "llm", "words", "replies", "keys", "limits"];
const PARTS = ["install", "basics", "texts", "hours", "look", "identity", "limits"];
const DIALOGS = [
  ["people", "invite-person", "invite-dialog"],
  ["people", "add-person", "person-dialog"],
  ["teams", "add-team", "team-dialog"],
  ["inboxes", "add-inbox", "inbox-dialog"],
  ["intents", "add-target", "target-dialog"],
  ["intents", "add-rule", "rule-dialog"],
  ["flows", "add-flow", "flow-dialog"],
  ["words", "add-word-rule", "word-rule-dialog"],
  ["replies", "add-reply", "reply-dialog"],
  ["keys", "add-key", "key-dialog"],
];
const OUTER = { widths: [1440, 390] };
const ARTICLE = {
  slug: "gaiwan-care",
  category: "Care",
  state: "published",
  texts: {
    en: { title: "How do I clean a gaiwan?", summary: "Rinse it with hot water, without soap.", body: "Rinse it with **hot water**, without soap.\n\n- Let it dry in the air\n- Keep it open", questions: ["How should a gaiwan be washed?"] },
    "zh-CN": { title: "盖碗怎么清洗？", summary: "用热水冲洗，不要用洗洁精。", body: "用**热水**冲洗，不要用洗洁精。\n\n- 自然晾干\n- 敞口存放", questions: ["盖碗可以用洗洁精吗？"] },
  },
};

export async function settings(browser, camera) {
  const { account, key } = WORDS[camera.locale];
  await stage(browser, camera, { life: true }, async ({ server, arrive }) => {
    const api = await lived(server);
    await api("POST", "api-keys", { name: key, rights: ["conversation.read.all"] });
    const page = await (await arrive()).page();
    await Agent.enter(page, server.url, "owner");
    const go = async (path) => {
      await page.goto(`${server.url}#/settings/${path}`);
      await page.getByTestId("settings-page").waitFor();
    };
    for (const section of PAGES) {
      await camera.view(`settings-${section}`, async (name) => {
        await go(section);
        await camera.looks(page, name);
        const long = await page.getByTestId("settings-page").evaluate((one) => {
          const scroller = [one, one.parentElement].find((each) => each !== null && each.scrollHeight > each.clientHeight + 40);
          scroller?.scrollTo(0, scroller.scrollHeight);
          return scroller !== undefined;
        });
        if (long) await camera.looks(page, `${name}-foot`, OUTER);
      });
    }
    for (const part of PARTS) {
      await camera.view(`settings-inbox-${part}`, async (name) => {
        await go("inboxes");
        await page.getByTestId("inbox-line").first().click();
        await page.getByTestId(`inbox-${part}-tab`).click();
        if (part === "hours") await page.getByTestId("hours-week").check();
        await camera.looks(page, name, part === "look" || part === "texts" ? {} : OUTER);
        // What was changed for the picture is given up, not saved.
        if (part === "hours") {
          await page.getByTestId("nav-waiting").click();
          await page.getByTestId("leave-discard").click();
        }
      });
    }
    await camera.view("settings-role", async (name) => {
      await go("rights");
      await page.getByTestId("role").nth(2).click();
      await page.getByTestId("right-conversation.write").waitFor();
      await camera.looks(page, name);
    });
    await camera.view("settings-people-menu", async (name) => {
      await go("people");
      await page.getByTestId("person-menu").nth(1).click();
      await camera.looks(page, name, OUTER);
      await page.keyboard.press("Escape");
    });
    await camera.view("settings-invited", async (name) => {
      await go("people");
      await page.getByTestId("invite-person").click();
      await page.getByTestId("invite-email").fill(account.colleague);
      await page.getByTestId("invite-submit").click();
      await page.getByTestId("invite-link").waitFor();
      await camera.looks(page, name, OUTER);
      await page.getByTestId("invite-done").click();
      await page.getByTestId("invitation").waitFor();
      await camera.looks(page, "settings-invitations", OUTER);
    });
    for (const [section, button, dialog] of DIALOGS) {
      await camera.view(`settings-${dialog}`, async (name) => {
        await go(section);
        await page.getByTestId(button).click();
        await page.getByTestId(dialog).waitFor();
        await camera.looks(page, name, OUTER);
        await page.keyboard.press("Escape");
        await page.getByTestId(dialog).waitFor({ state: "detached" });
      });
    }
    const { id } = await api("POST", "articles", ARTICLE);
    for (const [view, path, shows] of [["knowledge", "", "question"], ["knowledge-article", `/${id}`, "article-body"], ["knowledge-new", "/new", "article-body"]]) {
      await camera.view(view, async (name) => {
        await page.goto(`${server.url}#/knowledge${path}`);
        await page.getByTestId(shows).waitFor();
        await camera.looks(page, name);
      });
    }
    await camera.view("settings-flow", async (name) => {
      await go("flows");
      await page.getByTestId("flow").first().click();
      await page.getByTestId("flow-picture").waitFor();
      await camera.looks(page, name);
    });
    await camera.view("settings-bot-figures", async (name) => {
      await go("bot/figures");
      await camera.looks(page, name, OUTER);
    });
    await camera.view("settings-failed", async (name) => {
      await page.route("**/api/v1/users*", (route) => route.abort());
      await go("people");
      await page.reload();
      await page.getByTestId("settings-page").getByRole("alert").first().waitFor();
      await camera.looks(page, name, OUTER);
      await page.unrouteAll();
    });
    await camera.view("settings-menu", async (name) => {
      await page.goto(`${server.url}#/settings`);
      await camera.looks(page, name, { widths: [390] });
    });
  });
}
