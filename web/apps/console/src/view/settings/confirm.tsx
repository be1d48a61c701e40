import { Dialog, DialogFoot } from "../parts/overlay";
import { FormError, useSubmit } from "./page";

/** Asks once before something that cannot be undone. */
export function Confirm({ title, text, action, run, onClose }: { readonly title: string; readonly text: string; readonly action: string; readonly run: () => Promise<unknown>; readonly onClose: () => void }) {
  const submit = useSubmit();
  return (
    <Dialog title={title} onClose={onClose} testid="confirm-dialog">
      <div class="dialog-form">
        <p>{text}</p>
        <FormError submit={submit} />
        <DialogFoot onCancel={onClose} action={action} kind="danger" busy={submit.busy} testid="confirm-submit" onAction={() => void submit.run(run).then((done) => done && onClose())} />
      </div>
    </Dialog>
  );
}
