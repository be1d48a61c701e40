// Answers with a language model: any endpoint that speaks OpenAI's chat completions, over plain HTTP. The answer grows
// in the visitor's window while the model writes. What the model cannot be asked goes to a person.
//   FRONTDESK_URL=... FRONTDESK_BOT_KEY=fd_... LLM_BASE_URL=http://127.0.0.1:11434/v1 LLM_MODEL=... [LLM_API_KEY=...]
//   [LLM_TIMEOUT_MS=60000] node examples/llm-bot.mjs
// @ts-check
import { Frontdesk } from "@frontdesk/sdk";

const { env } = process;
const bot = new Frontdesk(env["FRONTDESK_URL"] ?? "http://127.0.0.1:8080").bot({ apiKey: env["FRONTDESK_BOT_KEY"] ?? "" });
const SYSTEM = "You answer customers of a shop: shortly, kindly, in their language. What you do not know you do not make up.";
/** Turns of a conversation that the model is shown. */
const TURNS_MAX = 20;
/** Conversations whose turns are kept; of the one longest unused they are forgotten. */
const CONVERSATIONS_MAX = 1_000;
/** @type {Map<string, {role: string, content: string}[]>} */
const turns = new Map();

/** Yields the pieces of the model's answer. @param {{role: string, content: string}[]} messages */
async function* complete(messages) {
  const answer = await fetch(`${env["LLM_BASE_URL"]}/chat/completions`, {
    method: "POST",
    headers: {
      "content-type": "application/json",
      ...(env["LLM_API_KEY"] ? { authorization: `Bearer ${env["LLM_API_KEY"]}` } : {}),
    },
    body: JSON.stringify({ model: env["LLM_MODEL"] ?? "default", messages, stream: true }),
    signal: AbortSignal.timeout(Number(env["LLM_TIMEOUT_MS"] ?? 60_000)),
  });
  if (!answer.ok || answer.body === null) throw new Error(`the model answered ${answer.status}`);
  const decoder = new TextDecoder();
  let rest = "";
  for await (const bytes of answer.body) {
    const lines = (rest + decoder.decode(bytes, { stream: true })).split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) {
      const data = line.startsWith("data:") ? line.slice(5).trim() : "";
      if (data === "" || data === "[DONE]") continue;
      yield String(JSON.parse(data).choices?.[0]?.delta?.content ?? "");
    }
  }
}

bot.onMessage(async (conversation, message) => {
  const known = turns.get(conversation.id) ?? [];
  const said = [...known, { role: "user", content: message.text }].slice(-TURNS_MAX);
  const stream = conversation.stream();
  try {
    for await (const piece of complete([{ role: "system", content: SYSTEM }, ...said])) stream.write(piece);
  } catch (error) {
    console.error(error);
    stream.abort();
    await conversation.handOver({ note: "The language model cannot be reached." });
    return;
  }
  await stream.end();
  turns.delete(conversation.id);
  turns.set(conversation.id, [...said, { role: "assistant", content: stream.text }]);
  for (const oldest of turns.keys()) if (turns.size > CONVERSATIONS_MAX) turns.delete(oldest);
});
bot.on("error", (error) => console.error(error));

await bot.start();
console.log("ready");
await bot.run();
