// Has a flow checked while it is written: once the writer pauses, and only the newest answer counts.
import { useEffect, useState } from "preact/hooks";
import type { FlowProblem } from "../../../model/bot";
import { useConsole } from "../../context";
import { failureText, spoken } from "../../failure";

const pauseMs = 350;

export type Check = {
  /** Of the text that was checked last; nothing is known while it is being checked. */
  readonly problems: readonly FlowProblem[];
  readonly busy: boolean;
  /** Why it could not be checked. */
  readonly failed: string | null;
};

export function useCheck(yaml: string): Check {
  const app = useConsole();
  const [check, setCheck] = useState<Check>({ problems: [], busy: true, failed: null });
  useEffect(() => {
    let old = false;
    setCheck((known) => ({ ...known, busy: true }));
    const timer = setTimeout(() => {
      app.api.bot.check(yaml).then(
        ({ problems }) => old || setCheck({ problems, busy: false, failed: null }),
        (failure: unknown) => old || setCheck((known) => ({ ...known, busy: false, failed: failureText(spoken(failure)) })),
      );
    }, pauseMs);
    return () => {
      old = true;
      clearTimeout(timer);
    };
  }, [yaml]);
  return check;
}
