// A conversation that has come some way: question, answer, a picture, a note for the team.
import { Visitor } from "../support/visitor.mjs";

/** Returns the visitor, who stays on the shop's page with the window open. */
export async function talk(shop, agent, api, server, words, gift) {
  const { page } = agent;
  const visitor = await Visitor.atShop(shop, server.url);
  await visitor.say(words.opening);
  await agent.open(words.opening.slice(0, 12));
  await agent.message(words.opening.slice(0, 12)).waitFor();
  await api("PATCH", `conversations/${agent.conversation()}/contact`, words.visitor);
  await agent.say(words.answers[0]);
  await agent.say(words.answers[1]);
  await page.getByTestId("composer-file").setInputFiles(gift);
  await page.locator('[data-testid="attachment"][data-state="stored"]').waitFor();
  await agent.input.press("Enter");
  await visitor.chat.locator(".message-other .picture img").waitFor();
  await visitor.say(words.thanks);
  await agent.message(words.thanks).waitFor();
  await page.getByTestId("mode-note").click();
  await agent.say(words.note);
  await page.getByTestId("mode-reply").click();
  await agent.say(words.last);
  await visitor.message(words.last).waitFor();
  // The list follows a moment later than the conversation.
  const row = agent.row(words.last.slice(0, 12));
  await row.waitFor();
  await row.locator(".badge").waitFor({ state: "detached" });
  return visitor;
}
