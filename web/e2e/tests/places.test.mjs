// Where the server stands: on another machine over plain http, and below a path of a proxy.
import assert from "node:assert/strict";
import { afterEach, describe, it } from "node:test";
import { Agent } from "../support/agent.mjs";
import { Person, end, launch } from "../support/browser.mjs";
import { Network } from "../support/network.mjs";
import { Nginx, freePort, nginxVersion } from "../support/nginx.mjs";
import { picture } from "../support/picture.mjs";
import { Server } from "../support/server.mjs";
import { Visitor } from "../support/visitor.mjs";

describe("a server", () => {
  let begun = [];

  afterEach(async () => {
    const ending = begun;
    begun = [];
    await end(ending);
  });

  function begin(one) {
    begun.unshift(one);
    return one;
  }

  /** Both ways and with a picture, signed in with a password, over a reload. */
  async function chat(browser, url) {
    const server = begun.find((one) => one instanceof Server);
    const [ann, lin] = [begin(await Person.arrive(browser)), begin(await Person.arrive(browser))];
    const page = await lin.page();
    await page.goto(url);
    const { email, password } = await server.credentials("agent");
    await page.getByTestId("sign-in-email").fill(email);
    await page.getByTestId("sign-in-password").fill(password);
    await page.getByTestId("sign-in-submit").click();
    const agent = new Agent(page);
    await agent.rail().waitFor();
    const visitor = await Visitor.atShop(await ann.page(), url);
    await visitor.say("Can you see this?");
    await agent.open("Can you see this?");
    await agent.say("Loud and clear.");
    await visitor.message("Loud and clear.").waitFor();
    const image = await picture(visitor.page, 120, 80, "#2f6b55");
    await visitor.chat.locator('.composer input[type="file"]').setInputFiles({ name: "cup.png", mimeType: "image/png", buffer: image });
    await page.locator('[data-testid="message"] .picture img').waitFor();
    await Promise.all([visitor.page.reload(), page.reload()]);
    await agent.message("Loud and clear.").waitFor();
    await visitor.launcher().click();
    await visitor.message("Loud and clear.").waitFor();
    return { agent, visitor };
  }

  it("works over plain http from another machine where that is allowed, and says so", async (t) => {
    const network = Network.open();
    if (!network) return t.skip("SKIPPED: needs root and `ip netns`; plain http from another machine was not tried");
    begin(network);
    const browser = begin(await launch());
    const place = { listen: `${network.there}:0`, prefix: network.prefix };
    const server = begin(await Server.start({ ...place, env: { FRONTDESK__SERVER__INSECURE_HTTP: "true" } }));
    const { agent, visitor } = await chat(browser, server.url);
    assert.equal(await agent.page.evaluate(() => window.isSecureContext), false);
    await agent.page.getByTestId("insecure-banner").waitFor();
    const alone = await Visitor.alone(await visitor.page.context().newPage(), server.url, await server.inboxKey());
    await alone.message("Loud and clear.").waitFor();
  });

  it("refuses to take a password over plain http elsewhere, in words", async (t) => {
    const network = Network.open();
    if (!network) return t.skip("SKIPPED: needs root and `ip netns`; plain http from another machine was not tried");
    begin(network);
    const browser = begin(await launch());
    const server = begin(await Server.start({ listen: `${network.there}:0`, prefix: network.prefix }));
    const lin = begin(await Person.arrive(browser)).expect(/status of 4\d\d.*\/api\/v1\/sign-in/);
    const page = await lin.page();
    await page.goto(server.url);
    const { email, password } = await server.credentials("agent");
    await page.getByTestId("sign-in-email").fill(email);
    await page.getByTestId("sign-in-password").fill(password);
    await page.getByTestId("sign-in-submit").click();
    assert.match(await page.getByTestId("sign-in-error").textContent(), /https/i);
  });

  it("works below a path behind nginx", async (t) => {
    const version = nginxVersion();
    if (!version) return t.skip("SKIPPED: nginx is not installed; a path prefix was not tried");
    t.diagnostic(`nginx ${version}`);
    const browser = begin(await launch());
    const port = await freePort();
    const url = `http://127.0.0.1:${port}/chat/`;
    const server = begin(await Server.start({ env: { FRONTDESK__SERVER__PUBLIC_URL: url.slice(0, -1), FRONTDESK__SERVER__TRUSTED_PROXIES: '["127.0.0.1/32"]' } }));
    begin(await Nginx.start({ port, prefix: "/chat/", upstream: server.address }));
    const { visitor } = await chat(browser, url);
    const alone = await Visitor.alone(await visitor.page.context().newPage(), url, await server.inboxKey());
    await alone.message("Loud and clear.").waitFor();
  });
});
