// What a form says when the server refuses it: the reason in the reader's words, from the problem's
// code and, for a field, from what is wrong with it.
import { ApiError } from "../model/api";
import { problem, t, texts } from "./text";

export function failureText(error: unknown): string {
  if (!(error instanceof ApiError)) return problem("general");
  if (error.code === "connection.lost") return problem("network");
  const reason = `invalid.${error.detail ?? ""}`;
  if ((error.code === "request.invalid" || error.code === "setting.invalid") && texts.has(reason)) return t(reason);
  return problem(error.code);
}
