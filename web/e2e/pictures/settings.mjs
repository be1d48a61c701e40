// Every page of the settings, as the owner sees them.
import { Agent } from "../support/agent.mjs";
import { stage } from "./stage.mjs";
import { REPLIES } from "./words.mjs";

const PAGES = ["profile", "people", "rights", "teams", "inboxes", "replies", "keys", "limits"];
const INBOX_PARTS = ["install", "basics", "texts", "hours", "look", "identity", "limits"];
const DIALOGS = [
  ["people", "invite-person", "invite-dialog"],
  ["people", "add-person", "person-dialog"],
  ["teams", "add-team", "team-dialog"],
  ["inboxes", "add-inbox", "inbox-dialog"],
  ["replies", "add-reply", "reply-dialog"],
  ["keys", "add-key", "key-dialog"],
];

export async function settings(browser, camera) {
  await stage(browser, camera, {}, async ({ server, arrive }) => {
    const api = await server.api();
    const me = await api("GET", "me");
    await api("POST", "teams", { names: { en: "Sales", "zh-CN": "售前" }, members: [me.id] });
    await api("POST", "teams", { names: { en: "Support", "zh-CN": "售后" }, members: [] });
    for (const reply of REPLIES) await api("POST", "canned-replies", reply);
    const page = await (await arrive()).page();
    await Agent.enter(page, server.url, "owner");
    const go = async (section) => {
      await page.goto(`${server.url}#/settings/${section}`);
      await page.getByTestId("settings-page").waitFor();
    };
    for (const section of PAGES) {
      await camera.view(`settings-${section}`, async (name) => {
        await go(section);
        await camera.looks(page, name);
      });
    }
    await camera.view("settings-role", async (name) => {
      await go("rights");
      await page.getByTestId("role").nth(1).click();
      await page.getByTestId("right-conversation.write").waitFor();
      await camera.looks(page, name);
    });
    for (const part of INBOX_PARTS) {
      await camera.view(`settings-inbox-${part}`, async (name) => {
        await go("inboxes");
        await page.getByTestId(`inbox-${part}-tab`).click();
        await page.locator(`[data-testid="inbox-${part}-tab"][aria-current="page"]`).waitFor();
        await camera.looks(page, name);
      });
    }
    const agentRole = (await api("GET", "roles")).roles.find((role) => role.builtin === "agent").id;
    const invitation = await api("POST", "invitations", { email: "noor@example.com", display_name: "Noor", role: agentRole, language: camera.locale });
    await camera.view("join", async (name) => {
      const guest = await (await arrive()).page();
      await guest.goto(invitation.url);
      await guest.getByTestId("join-name").waitFor();
      await camera.looks(guest, name);
    });
    for (const [section, button, dialog] of DIALOGS) {
      await camera.view(`settings-${button}`, async (name) => {
        await go(section);
        await page.getByTestId(button).click();
        await page.getByTestId(dialog).waitFor();
        await camera.looks(page, name, { widths: [1440, 390] });
        await page.keyboard.press("Escape");
      });
    }
    await camera.view("settings-failed", async (name) => {
      await page.route("**/api/v1/users*", (route) => route.abort());
      await go("people");
      await page.getByRole("alert").first().waitFor();
      await camera.looks(page, name, { widths: [1440, 390] });
      await page.unrouteAll();
    });
    await camera.view("settings-menu", async (name) => {
      await page.goto(`${server.url}#/settings`);
      await camera.looks(page, name, { widths: [390] });
    });
  });
}
