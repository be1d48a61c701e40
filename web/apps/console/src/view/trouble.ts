// What is wrong with a flow, a file or a page, in the reader's language: by its code and what stands in it. What has no
// words here is told in the server's, which are English.
import { t, texts } from "./text";

type Problem = { readonly code?: string; readonly params?: Readonly<Record<string, string>>; readonly reason: string };

export function flowProblemText(problem: Problem): string {
  const { code = "", params = {}, reason } = problem;
  // A name that is almost another one's was meant to be that, most of the time.
  const near = `flow_problem.${code}_near`;
  if ((params["near"] ?? "") !== "" && texts.has(near)) return t(near, params);
  // Of a file or a pattern that cannot be read, what most often is the cause; else what its parser says.
  const kind = `flow_problem.${code}_${params["kind"] ?? ""}`;
  if (texts.has(kind)) return t(kind, params);
  const key = `flow_problem.${code}`;
  return texts.has(key) ? t(key, params) : reason;
}

export function fileProblemText(problem: Problem): string {
  const { code = "", params = {}, reason } = problem;
  const key = `file_problem.${code}`;
  if (!texts.has(key)) return reason;
  const about = `file_problem.about_${params["about"] ?? ""}`;
  const text = t(key, params);
  return texts.has(about) ? t(about, { problem: text }) : text;
}
