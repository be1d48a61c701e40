// A visitor in a browser, as README.md has it: type-checked against the package as it is installed (see sdk/test).
import type { Choice, Field, Message, OutboxStore, Pending } from "@frontdesk/sdk";
import { Frontdesk, FrontdeskError } from "@frontdesk/sdk";

/** Pending messages in the browser's own store, oldest first. */
class Kept implements OutboxStore {
  load(): readonly Pending[] {
    return JSON.parse(localStorage.getItem("pending") ?? "[]") as Pending[];
  }

  put(message: Pending): void {
    localStorage.setItem("pending", JSON.stringify([...this.load(), message]));
  }

  remove(clientMsgId: string): void {
    localStorage.setItem("pending", JSON.stringify(this.load().filter((one) => one.clientMsgId !== clientMsgId)));
  }
}

function fill(fields: readonly Field[]): Record<string, string> {
  return Object.fromEntries(fields.map(({ id, kind, options: [first] }) => [id, kind === "choice" ? (first?.id ?? "") : "A-1042"]));
}

const visitor = new Frontdesk("https://desk.example", { store: new Kept() }).visitor({ inboxKey: "KEY" });
visitor.on("draft", ({ text }) => text && console.log("...", text));
visitor.on("entry", async (message: Message) => {
  await Promise.resolve(message.text);
});
await visitor.start();
try {
  console.log((await visitor.send("Where is my order?")).seq, visitor.token, visitor.position?.seq);
} catch (error) {
  if (error instanceof FrontdeskError) console.log(error.code, error.retryAfterMs);
}
for await (const message of visitor.messages()) {
  const first: Choice | undefined = message.choices[0];
  if (first !== undefined) await visitor.choose(message, first.id);
  if (message.kind === "form") await visitor.submit(message, fill(message.fields));
  visitor.read(message.seq);
}
