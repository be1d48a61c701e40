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
      await page.getByTestId("set-up-account").waitFor();
      await camera.looks(page, name);
    });
    await camera.view("set-up-done", async (name) => {
      await page.getByTestId("set-up-account").fill(account.name);
      await page.getByTestId("set-up-name").fill(account.person);
      await page.getByTestId("set-up-email").fill(account.email);
      await page.getByTestId("set-up-password").fill(PASSWORD);
      await page.getByTestId("set-up-site").fill(account.site);
      await page.getByTestId("set-up-submit").click();
      await page.getByTestId("presence-switch").waitFor();
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
