// The language model: where it is, what it may do and what that may cost. Shapes, presets, what follows from a change
// of the address, and the requests.
import type { Call } from "./api";
import { withQuery } from "./query";

export const llmFeatures = ["answers", "summary", "rewrite", "translate"] as const;
export type LlmFeature = (typeof llmFeatures)[number];
export type LlmFeatures = Readonly<Record<LlmFeature, boolean>>;
export type LlmSettings = {
  readonly base_url: string;
  readonly model: string;
  readonly features: LlmFeatures;
  readonly conversation_tokens_max: number;
  readonly day_tokens_max: number;
  readonly timeout_ms: number;
  /** How long a visitor goes without a word of the answer. */
  readonly visitor_wait_ms: number;
  readonly prompt: string;
};
export type LlmConfig = LlmSettings & {
  readonly revision: number;
  readonly has_key: boolean;
  /** The end of the key that is kept. */
  readonly hint?: string | null;
};
export type LlmDay = { readonly date: string; readonly tokens_in: number; readonly tokens_out: number; readonly requests: number; readonly failures: number };
/** Days on which nothing was spent are absent. */
export type LlmSpend = { readonly days: readonly LlmDay[]; readonly today_tokens: number; readonly day_tokens_max: number };
export type LlmTest = { readonly ok: boolean; readonly took_ms: number; readonly answer?: string | null; readonly error?: string | null };

export const assistKinds = ["summary", "rewrite", "translate"] as const;
export type AssistKind = (typeof assistKinds)[number];
export type AssistRequest = { readonly kind: AssistKind; readonly text: string; readonly language: string };

export class LlmApi {
  constructor(private readonly call: Call) {}

  read = (): Promise<LlmConfig> => this.call("GET", "api/v1/llm");
  /** `key`: undefined keeps the one there is, an empty one takes it away. */
  change = (settings: LlmSettings, revision: number, key?: string): Promise<LlmConfig> => this.call("PUT", "api/v1/llm", { ...settings, revision, ...(key === undefined ? {} : { key }) });
  spend = (days: number): Promise<LlmSpend> => this.call("GET", withQuery("api/v1/llm/spend", { days }));
  test = (): Promise<LlmTest> => this.call("POST", "api/v1/llm/test", {});
  assist = async (conversation: string, request: AssistRequest): Promise<string> => (await this.call<{ readonly text: string }>("POST", `api/v1/conversations/${conversation}/assist`, request)).text;
}

export type Preset = { readonly name: "DeepSeek" | "Qwen" | "Ollama" | "vLLM" | "OpenAI"; readonly base_url: string; readonly model: string; readonly local: boolean };

export const presets: readonly Preset[] = [
  { name: "DeepSeek", base_url: "https://api.deepseek.com/v1", model: "deepseek-chat", local: false },
  { name: "Qwen", base_url: "https://dashscope.aliyuncs.com/compatible-mode/v1", model: "qwen-plus", local: false },
  { name: "Ollama", base_url: "http://127.0.0.1:11434/v1", model: "qwen3:8b", local: true },
  { name: "vLLM", base_url: "http://127.0.0.1:8000/v1", model: "", local: true },
  { name: "OpenAI", base_url: "https://api.openai.com/v1", model: "gpt-4o-mini", local: false },
];

/** The preset an address belongs to. */
export function presetOf(baseUrl: string): Preset | null {
  return presets.find((preset) => preset.base_url === baseUrl.trim().replace(/\/+$/, "")) ?? null;
}

/** Scheme, host and port of an address; null where it is none. */
export function hostOf(baseUrl: string): string | null {
  try {
    const url = new URL(baseUrl.trim());
    return /^https?:$/.test(url.protocol) ? url.origin : null;
  } catch {
    return null;
  }
}

/** A key goes to nobody but the host it was given for: whether saving takes away the one that is kept. */
export function clearsKey(saved: Pick<LlmConfig, "base_url" | "has_key">, baseUrl: string, key: string): boolean {
  return saved.has_key && key === "" && hostOf(saved.base_url) !== hostOf(baseUrl);
}

export function settingsOf({ base_url, model, features, conversation_tokens_max, day_tokens_max, timeout_ms, visitor_wait_ms, prompt }: LlmConfig): LlmSettings {
  return { base_url, model, features, conversation_tokens_max, day_tokens_max, timeout_ms, visitor_wait_ms, prompt };
}

/** The longest that an answer may take, and that a visitor may go without a word of it. The server refuses more. */
export const timeoutMsMax = 300_000;
export const visitorWaitMsMax = 30_000;

const isWait = (ms: number, most: number): boolean => Number.isInteger(ms) && ms >= 1 && ms <= most;

export function timeoutWrong(timeoutMs: number): boolean {
  return !isWait(timeoutMs, timeoutMsMax);
}

/** What is wrong with the wait for a word: it is none there may be, or longer than the whole answer may take. */
export function visitorWaitWrong({ timeout_ms, visitor_wait_ms }: Pick<LlmSettings, "timeout_ms" | "visitor_wait_ms">): "range" | "over" | null {
  if (!isWait(visitor_wait_ms, visitorWaitMsMax)) return "range";
  return !timeoutWrong(timeout_ms) && visitor_wait_ms > timeout_ms ? "over" : null;
}

/** How much of the day's budget is used; with nothing to spend all of it. */
export function budgetShare(spend: Pick<LlmSpend, "today_tokens" | "day_tokens_max">): number {
  return spend.day_tokens_max <= 0 ? 1 : Math.min(1, spend.today_tokens / spend.day_tokens_max);
}

export function anyFeature(features: LlmFeatures): boolean {
  return llmFeatures.some((feature) => features[feature]);
}
