// Says back what the visitor says.
//   FRONTDESK_URL=http://127.0.0.1:8080 FRONTDESK_BOT_KEY=fd_... node examples/echo-bot.mjs
// @ts-check
import { Frontdesk } from "@frontdesk/sdk";

const bot = new Frontdesk(process.env["FRONTDESK_URL"] ?? "http://127.0.0.1:8080").bot({ apiKey: process.env["FRONTDESK_BOT_KEY"] ?? "" });

bot.onMessage(async (conversation, message) => {
  await conversation.reply(message.text);
});
bot.on("error", (error) => console.error(error));

await bot.start();
console.log("ready");
await bot.run();
