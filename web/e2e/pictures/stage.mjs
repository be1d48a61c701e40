// A server of its own for a series of pictures, and people with browsers; all gone afterwards.
import { Person } from "../support/browser.mjs";
import { Server } from "../support/server.mjs";
import { withoutCaret } from "./camera.mjs";

export async function stage(browser, camera, options, play) {
  const server = await Server.start(options);
  const people = [];
  try {
    await play({
      server,
      /** Somebody with a browser in the language of the pictures. */
      arrive: async (more) => {
        const person = await Person.arrive(browser, { locale: camera.locale, ...more });
        await person.context.addInitScript(withoutCaret);
        people.push(person);
        return person;
      },
    });
  } finally {
    // Complaints are the tests' matter.
    for (const person of people) await person.context.close();
    await server.stop().catch((failure) => camera.missed.push(String(failure)));
  }
}

/** A demo with its seeded life, which stands still; the agent takes all who come. */
export async function lived(server) {
  const api = await server.api();
  // Where there is nobody to pause, nobody comes.
  await api("POST", "demo/pause").catch(() => undefined);
  const { users } = await api("GET", "users");
  const lin = users.find((user) => user.email.startsWith("lin@"));
  await api("PATCH", `users/${lin.id}`, { capacity: 30 });
  return api;
}

/** From now on people answer, and no bot is the first. */
export async function withoutBot(api) {
  const bot = await api("GET", "bot");
  const inboxes = Object.fromEntries(Object.entries(bot.inboxes).map(([inbox, place]) => [inbox, { ...place, mode: "off" }]));
  await api("PUT", "bot", { ...bot, inboxes });
}

/** Gives stars and words to a session that has ended. */
export async function rate({ chat }, stars, comment) {
  await chat.locator(".rating .star").nth(stars - 1).click();
  await chat.locator(".rating textarea").fill(comment);
  await chat.locator('.rating button[type="submit"]').click();
  await chat.locator(".rating").waitFor({ state: "detached" });
}
