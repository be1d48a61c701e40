// Every page of the settings, as the owner of a lived-in demo sees them.
import { Agent } from "../support/agent.mjs";
import { lived, stage } from "./stage.mjs";
import { WORDS } from "./words.mjs";

const PAGES = ["profile", "people", "rights", "teams", "inboxes", "intents", "replies", "keys", "limits"];
const PARTS = ["install", "basics", "texts", "hours", "look", "identity", "limits"];
const DIALOGS = [
  ["people", "invite-person", "invite-dialog"],
  ["people", "add-person", "person-dialog"],
  ["teams", "add-team", "team-dialog"],
  ["inboxes", "add-inbox", "inbox-dialog"],
  ["intents", "add-target", "target-dialog"],
  ["intents", "add-rule", "rule-dialog"],
  ["replies", "add-reply", "reply-dialog"],
  ["keys", "add-key", "key-dialog"],
];
const OUTER = { widths: [1440, 390] };

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
