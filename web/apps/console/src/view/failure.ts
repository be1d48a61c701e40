// What a form says when the server refuses it: the reason in the reader's words, from the problem's
// code and, for a field, from what is wrong with it.
import type { Params } from "@frontdesk/i18n";
import type { ConsoleKey } from "@frontdesk/i18n/catalogs/console.en";
import { ApiError } from "../model/api";
import { problem, t, texts } from "./text";

/** A refusal that only the page it happens on can put in words; `field` names what to mend on it. */
export class Explained extends Error {
  override readonly name = "Explained";

  constructor(
    readonly key: ConsoleKey,
    readonly params: Params = {},
    readonly field: string | null = null,
  ) {
    super(`the request failed: ${key}`);
  }
}

/** A refusal whose reason only the server has words for, in English; any other failure as it is. */
export function spoken(failure: unknown): unknown {
  if (!(failure instanceof ApiError) || failure.code !== "request.invalid" || (failure.detail ?? "") === "" || texts.has(`invalid.${failure.detail}`)) return failure;
  return new Explained("intents.refused", { reason: failure.detail ?? "" }, failure.field);
}

export function failureText(error: unknown): string {
  if (error instanceof Explained) return t(error.key, error.params);
  if (!(error instanceof ApiError)) return problem("general");
  if (error.code === "connection.lost") return problem("network");
  const reason = `invalid.${error.detail ?? ""}`;
  if ((error.code === "request.invalid" || error.code === "setting.invalid") && texts.has(reason)) return t(reason);
  return problem(error.code);
}
