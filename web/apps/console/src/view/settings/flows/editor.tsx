// A flow's file, with its lines numbered and what is wrong with it at its line, and its picture beside.
import { useId, useLayoutEffect, useMemo, useRef } from "preact/hooks";
import type { FlowProblem } from "../../../model/bot";
import { lineSpan, problemsByLine } from "../../../model/bot";
import { readSteps } from "../../../model/flow-picture";
import { composing } from "../../../model/shortcuts";
import { Icon } from "../../parts/icon";
import { t } from "../../text";
import { flowProblemText } from "../../trouble";
import { Card } from "../page";
import type { Check } from "./check";
import { FlowPicture } from "./picture";

const rowsMin = 18;

type Props = { readonly yaml: string; readonly check: Check; readonly onChange: (yaml: string) => void };

export function FlowEditor({ yaml, check, onChange }: Props) {
  const id = useId();
  const input = useRef<HTMLTextAreaElement>(null);
  /** Where the caret belongs once a line that was begun has been drawn. */
  const caret = useRef<number | null>(null);
  const lines = yaml.split("\n").length;
  const byLine = problemsByLine(check.problems, lines);
  const steps = useMemo(() => readSteps(yaml), [yaml]);
  useLayoutEffect(() => {
    if (caret.current !== null) input.current?.setSelectionRange(caret.current, caret.current);
    caret.current = null;
  }, [yaml]);
  const show = (line: number) => {
    const element = input.current;
    if (element === null) return;
    element.focus();
    element.setSelectionRange(...lineSpan(yaml, line));
    document.getElementById(`${id}-line-${line}`)?.scrollIntoView({ block: "center" });
  };
  return (
    <div class="flow-editor">
      <Card title={t("flows.file")} text={t("flows.file_text")}>
        <div class="code-area" style={{ "--code-digits": String(Math.max(2, String(lines).length)) }}>
          <ol class="code-lines number" aria-hidden="true">
            {Array.from({ length: Math.max(lines, rowsMin) }, (_, at) => {
              const found = byLine.get(at + 1);
              const look = found === undefined ? "" : found.some((problem) => problem.severity !== "warning") ? " code-line-wrong" : " code-line-warned";
              return (
                <li key={at} id={`${id}-line-${at + 1}`} class={`code-line${look}`} title={found?.map(flowProblemText).join("\n")}>
                  {at + 1}
                </li>
              );
            })}
          </ol>
          <textarea
            ref={input}
            class="code-input"
            rows={Math.max(lines, rowsMin)}
            wrap="off"
            spellcheck={false}
            autocapitalize="off"
            autocomplete="off"
            aria-label={t("flows.file")}
            aria-describedby={`${id}-problems`}
            aria-invalid={check.problems.some((problem) => problem.severity !== "warning") ? "true" : undefined}
            value={yaml}
            data-testid="flow-yaml"
            onInput={(event) => onChange(event.currentTarget.value)}
            onKeyDown={(event) => {
              // A new line begins where the last one did.
              if (event.key !== "Enter" || event.shiftKey || event.ctrlKey || event.metaKey || composing(event)) return;
              const { selectionStart: from, selectionEnd: to, value } = event.currentTarget;
              const begun = value.slice(value.lastIndexOf("\n", from - 1) + 1, from);
              const inset = /^ */.exec(begun)?.[0] ?? "";
              const deeper = /:\s*$/.test(begun) ? "  " : "";
              event.preventDefault();
              caret.current = from + 1 + inset.length + deeper.length;
              onChange(`${value.slice(0, from)}\n${inset}${deeper}${value.slice(to)}`);
            }}
          />
        </div>
        <Problems id={`${id}-problems`} check={check} onShow={show} />
      </Card>
      <Card title={t("flows.picture")} text={t("flows.picture_text")}>
        <FlowPicture steps={steps} onStep={show} />
      </Card>
    </div>
  );
}

function Problems({ id, check, onShow }: { readonly id: string; readonly check: Check; readonly onShow: (line: number) => void }) {
  const { problems, busy, failed } = check;
  const sorted = [...problems].sort((a, b) => (a.line ?? 0) - (b.line ?? 0));
  return (
    <div class="flow-problems" id={id} data-testid="flow-problems" aria-busy={busy}>
      <p role="status" class={failed !== null ? "flow-verdict sign-danger" : problems.length === 0 ? "flow-verdict sign-ok" : "flow-verdict sign-warning"}>
        <Icon name={failed !== null ? "circle-alert" : problems.length === 0 ? "circle-check" : "triangle-alert"} />
        {failed ?? (problems.length === 0 ? t("flows.sound") : t("flows.problems", { count: problems.length }))}
      </p>
      {sorted.length > 0 && (
        <ul>
          {sorted.map((problem, at) => (
            <ProblemLine key={at} problem={problem} onShow={onShow} />
          ))}
        </ul>
      )}
    </div>
  );
}

function ProblemLine({ problem, onShow }: { readonly problem: FlowProblem; readonly onShow: (line: number) => void }) {
  const line = problem.line ?? 0;
  const column = problem.params?.["column"] ?? "";
  const lineText = column === "" ? t("flows.line", { line }) : t("flows.line_column", { line, column });
  const where = [line > 0 ? lineText : "", problem.step ? t("flows.step", { step: problem.step }) : ""].filter((part) => part !== "").join(", ");
  const warning = problem.severity === "warning";
  return (
    <li class={warning ? "flow-problem flow-warning" : "flow-problem"} data-testid="flow-problem" data-line={line}>
      <span class={warning ? "tag tag-warning" : "tag tag-danger"}>{warning ? t("flows.warning") : t("flows.error")}</span>
      {line > 0 ? (
        <button type="button" class="link-button" onClick={() => onShow(line)}>
          {where}
        </button>
      ) : (
        where !== "" && <span>{where}</span>
      )}
      <span>{flowProblemText(problem)}</span>
    </li>
  );
}
