// Says where an order is: asks for its number with a form, and gives the visitor to a person who wants one.
//   FRONTDESK_URL=... FRONTDESK_BOT_KEY=fd_... node examples/order-bot.mjs
// @ts-check
import { Frontdesk } from "@frontdesk/sdk";

const bot = new Frontdesk(process.env["FRONTDESK_URL"] ?? "http://127.0.0.1:8080").bot({ apiKey: process.env["FRONTDESK_BOT_KEY"] ?? "" });

/** A shop would look into its own books here. @param {string} order */
function statusOf(order) {
  const states = ["is being packed", "is on its way", "has arrived"];
  const digits = order.match(/\d+$/)?.[0];
  return digits === undefined ? undefined : states[Number(digits) % states.length];
}

bot.onMessage(async (conversation, message) => {
  if (message.kind === "form_reply") {
    const order = message.values["order"] ?? "";
    const status = statusOf(order);
    if (status !== undefined) await conversation.reply(`Order ${order} ${status}.`, { quoteSeq: message.seq });
    else await conversation.choices(`There is no order ${order}.`, [{ id: "again", label: "Try again" }, { id: "person", label: "Ask a person" }]);
  } else if (message.choice === "person") {
    await conversation.handOver({ note: "The visitor's order number was not found." });
  } else {
    const fields = [{ id: "order", label: "Order number", kind: /** @type {const} */ ("order_number"), required: true }];
    await conversation.form("Which order is it about?", fields, "Look it up");
  }
});
bot.on("error", (error) => console.error(error));

await bot.start();
console.log("ready");
await bot.run();
