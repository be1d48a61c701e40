// Forms that know what is saved and what is not: a draft beside the saved value, a bar that says so,
// and a question before somebody leaves without saving.
import { useLayoutEffect, useRef, useState } from "preact/hooks";
import { same } from "../../model/same";
import { useConsole } from "../context";
import { Button } from "../parts/controls";
import { Dialog } from "../parts/overlay";
import { t } from "../text";
import type { Submit } from "./page";

export type Draft<T> = {
  readonly value: T;
  readonly dirty: boolean;
  readonly set: (change: Partial<T>) => void;
  /** Takes another value as it stands; without one, the saved value. */
  readonly reset: (value?: T) => void;
};

/** A draft of `saved`. It follows the saved value whenever that changes. */
export function useDraft<T extends object>(saved: T): Draft<T> {
  const app = useConsole();
  const [value, setValue] = useState(saved);
  const known = useRef(saved);
  useLayoutEffect(() => {
    if (same(known.current, saved)) return;
    known.current = saved;
    setValue(saved);
  });
  const dirty = !same(value, saved);
  useLayoutEffect(() => (dirty ? app.holdUnsaved() : undefined), [dirty]);
  return { value, dirty, set: (change) => setValue((before) => ({ ...before, ...change })), reset: (next) => setValue(next ?? saved) };
}

type SaveBarProps = { readonly draft: { readonly dirty: boolean; readonly reset: () => void }; readonly submit: Submit; readonly disabled?: boolean; readonly testid?: string };

/** Stands at the foot of a form as long as something is not saved. */
export function SaveBar({ draft, submit, disabled, testid }: SaveBarProps) {
  if (!draft.dirty && !submit.busy) return null;
  return (
    <div class="save-bar" data-testid="save-bar">
      <span role="status">{t("form.unsaved")}</span>
      <Button kind="quiet" disabled={submit.busy} onClick={() => { submit.clear(); draft.reset(); }}>
        {t("form.discard")}
      </Button>
      <Button type="submit" kind="primary" busy={submit.busy} disabled={disabled === true} {...(testid === undefined ? {} : { testid })}>
        {t("save")}
      </Button>
    </div>
  );
}

/** Asks whoever leaves a form with something unsaved in it. */
export function LeaveQuestion() {
  const app = useConsole();
  if (app.leaving.value === null) return null;
  return (
    <Dialog title={t("form.leave_title")} onClose={() => app.leave(false)} testid="leave-dialog">
      <div class="dialog-form">
        <p>{t("form.leave_text")}</p>
        <footer class="dialog-foot">
          <Button testid="leave-stay" onClick={() => app.leave(false)}>{t("form.stay")}</Button>
          <Button kind="danger" testid="leave-discard" onClick={() => app.leave(true)}>
            {t("form.discard")}
          </Button>
        </footer>
      </div>
    </Dialog>
  );
}
