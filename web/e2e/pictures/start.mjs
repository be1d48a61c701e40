// Before anybody works: the set-up link of an empty directory, and the door of a demo.
import { stage } from "./stage.mjs";
import { WORDS } from "./words.mjs";

const PASSWORD = "many quiet mornings 42";

export async function start(browser, camera) {
  const { account } = WORDS[camera.locale];
  await stage(browser, camera, { demo: false }, async ({ server, arrive }) => {
    const page = await (await arrive()).page();
    await camera.view("set-up", async (name) => {
      await page.goto(await server.setUpLink());
      await page.getByTestId("set-up-name").waitFor();
      await camera.looks(page, name);
    });
    await camera.view("set-up-team", async (name) => {
      await page.getByTestId("set-up-name").fill(account.person);
      await page.getByTestId("set-up-email").fill(account.email);
      await page.getByTestId("set-up-password").fill(PASSWORD);
      await page.getByTestId("set-up-next").click();
      await page.getByTestId("set-up-account").fill(account.name);
      await camera.looks(page, name);
    });
    await camera.view("set-up-site", async (name) => {
      await page.getByTestId("set-up-next").click();
      await page.getByTestId("set-up-site").fill(account.site);
      await camera.looks(page, name);
    });
    await camera.view("set-up-snippet", async (name) => {
      await page.getByTestId("set-up-submit").click();
      await page.getByTestId("snippet-seen").waitFor();
      await camera.looks(page, name);
    });
    await camera.view("set-up-test", async (name) => {
      await page.getByTestId("welcome-next").click();
      await page.getByTestId("qr-code").waitFor();
      await camera.looks(page, name);
    });
    await camera.view("set-up-invite", async (name) => {
      await page.getByTestId("welcome-next").click();
      await page.getByTestId("invite-email").waitFor();
      await camera.looks(page, name);
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
      await camera.looks(page, name);
    });
  });
}
