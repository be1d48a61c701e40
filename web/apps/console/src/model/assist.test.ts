import { describe, expect, it } from "vitest";
import { Rights } from "./account";
import type { Api } from "./api";
import { AssistOffer } from "./assist";
import type { LlmConfig } from "./llm";

function offer(config: Partial<LlmConfig> | Error, rights: readonly string[], told?: readonly string[]) {
  let asked = 0;
  const read = async () => {
    asked += 1;
    if (config instanceof Error) throw config;
    return { base_url: "https://a.example/v1", model: "m", features: { answers: true, summary: true, rewrite: false, translate: true }, ...config } as LlmConfig;
  };
  const made = new AssistOffer({ llm: { read } as Api["llm"] }, new Rights(rights), told === undefined ? {} : { assist: told });
  return { made, asked: () => asked };
}

describe("what a model helps with", () => {
  it("is what is turned on, looked for once by whoever may", async () => {
    const { made, asked } = offer({}, ["settings.bots"]);
    expect(made.kinds.value).toEqual([]);
    await Promise.all([made.look(), made.look()]);
    expect([made.kinds.value, asked()]).toEqual([["summary", "translate"], 1]);
  });

  it("is what the server told with who is signed in", async () => {
    const { made, asked } = offer({}, [], ["rewrite", "juggle"]);
    await made.look();
    expect([made.kinds.value, asked()]).toEqual([["rewrite"], 0]);
  });

  it("is nothing without a model, without the right, or without an answer", async () => {
    for (const { made } of [offer({ model: "" }, ["settings.bots"]), offer({}, []), offer(new Error("lost"), ["settings.bots"])]) {
      await made.look();
      expect(made.kinds.value).toEqual([]);
    }
  });
});
