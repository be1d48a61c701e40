// Before anybody works: the steps behind the set-up link of an empty directory, an invitation, and the
// door of a demo.
import { Visitor } from "../support/visitor.mjs";
import { stage } from "./stage.mjs";
import { WORDS } from "./words.mjs";

const PASSWORD = "many quiet mornings 42";
const OUTER = { widths: [1440, 390] };

export async function start(browser, camera) {
  const words = WORDS[camera.locale];
  const { account } = words;
  await stage(browser, camera, { demo: false }, async ({ server, arrive }) => {
    const page = await (await arrive()).page();
    await camera.view("set-up-you", async (name) => {
      await page.goto(await server.setUpLink());
      await page.getByTestId("set-up-name").fill(account.person);
      await page.getByTestId("set-up-email").fill(account.email);
      await page.getByTestId("set-up-password").fill(PASSWORD);
      await camera.looks(page, name);
    });
    await camera.view("set-up-team", async (name) => {
      await page.getByTestId("set-up-next").click();
      await page.getByTestId("set-up-account").fill(account.name);
      await camera.looks(page, name, OUTER);
    });
    await camera.view("set-up-site", async (name) => {
      await page.getByTestId("set-up-next").click();
      await page.getByTestId("set-up-site").fill(account.site);
      await camera.looks(page, name, OUTER);
    });
    await camera.view("set-up-snippet", async (name) => {
      await page.getByTestId("set-up-submit").click();
      await page.getByTestId("inbox-snippet").waitFor();
      await camera.looks(page, name);
    });
    await camera.view("set-up-test", async (name) => {
      await page.getByTestId("welcome-next").click();
      await page.getByTestId("qr-code").waitFor();
      await camera.looks(page, name, OUTER);
      const [chat] = await Promise.all([page.context().waitForEvent("page"), page.getByTestId("open-chat-page").click()]);
      const self = new Visitor(chat, chat);
      await self.input.waitFor();
      await self.say(words.question);
      await page.getByTestId("test-message").filter({ hasText: words.question }).waitFor();
      await camera.looks(page, "set-up-test-arrived");
    });
    let link = "";
    await camera.view("set-up-invite", async (name) => {
      await page.getByTestId("welcome-next").click();
      await page.getByTestId("invite-email").fill(account.colleague);
      await page.getByTestId("invite-submit").click();
      link = await page.getByTestId("invite-link").textContent();
      await camera.looks(page, name);
    });
    await camera.view("invitation", async (name) => {
      const guest = await (await arrive()).page();
      await guest.goto(link);
      await guest.getByTestId("join-name").waitFor();
      await camera.looks(guest, name);
      await guest.goto(link.replace(/[\w-]{8}$/, "00000000"));
      await guest.reload();
      await guest.getByTestId("join-name").waitFor({ state: "detached" });
      await guest.getByRole("heading").first().waitFor();
      await camera.looks(guest, "invitation-gone", OUTER);
    });
  });
  await stage(browser, camera, {}, async ({ server, arrive }) => {
    const page = await (await arrive()).page();
    await camera.view("sign-in", async (name) => {
      await page.goto(server.url);
      await page.getByTestId("continue-as-agent").waitFor();
      await camera.looks(page, name);
    });
    await camera.view("sign-in-refused", async (name) => {
      await page.getByTestId("sign-in-email").fill(account.email);
      await page.getByTestId("sign-in-password").fill(PASSWORD);
      await page.getByTestId("sign-in-submit").click();
      await page.getByTestId("sign-in-error").waitFor();
      await camera.looks(page, name, OUTER);
    });
  });
}
