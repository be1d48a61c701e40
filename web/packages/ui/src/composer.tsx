// Where a message is written. Enter sends, Shift+Enter breaks the line, and an input method that is
// composing keeps Enter for itself. Files come by button, paste or drop.
import type { ComponentChildren, JSX } from "preact";
import { useLayoutEffect, useRef } from "preact/hooks";
import { IconButton } from "./controls";

export type ComposerProps = {
  readonly value: string;
  readonly placeholder: string;
  readonly sendLabel: string;
  readonly attachLabel: string;
  readonly disabled: boolean;
  readonly canSend: boolean;
  readonly onInput: (text: string) => void;
  readonly onSend: () => void;
  readonly onFiles: (files: readonly File[]) => void;
  /** Between the text and the button that sends it. */
  readonly beside?: ComponentChildren;
  /** Above the text: attachments on their way, what is too long. */
  readonly children?: ComponentChildren;
};

/** Whether a key press belongs to an input method. Safari says 229 after composition has ended. */
export function isComposing(event: Pick<KeyboardEvent, "isComposing" | "keyCode">): boolean {
  return event.isComposing || event.keyCode === 229;
}

export function Composer(props: ComposerProps): JSX.Element {
  const text = useRef<HTMLTextAreaElement>(null);
  const picker = useRef<HTMLInputElement>(null);

  // Grows with its text; the style sheet sets the limit.
  useLayoutEffect(() => {
    const element = text.current;
    if (!element) return;
    element.style.height = "auto";
    element.style.height = `${element.scrollHeight}px`;
  }, [props.value]);

  const send = (): void => {
    if (!props.canSend) return;
    props.onSend();
    text.current?.focus();
  };

  const onKeyDown = (event: KeyboardEvent): void => {
    if (event.key !== "Enter" || event.shiftKey || isComposing(event)) return;
    event.preventDefault();
    send();
  };

  const onPaste = (event: ClipboardEvent): void => {
    const files = Array.from(event.clipboardData?.files ?? []);
    if (files.length === 0) return;
    event.preventDefault();
    props.onFiles(files);
  };

  return (
    <form
      class="composer"
      onSubmit={(event) => {
        event.preventDefault();
        send();
      }}
    >
      {props.children}
      <div class="composer-row">
        <IconButton icon="paperclip" label={props.attachLabel} disabled={props.disabled} onClick={() => picker.current?.click()} />
        <input
          ref={picker}
          type="file"
          multiple
          hidden
          tabIndex={-1}
          aria-hidden="true"
          onChange={(event) => {
            props.onFiles(Array.from(event.currentTarget.files ?? []));
            event.currentTarget.value = "";
          }}
        />
        <textarea
          ref={text}
          rows={1}
          value={props.value}
          placeholder={props.placeholder}
          aria-label={props.placeholder}
          disabled={props.disabled}
          onInput={(event) => props.onInput(event.currentTarget.value)}
          onKeyDown={onKeyDown}
          onPaste={onPaste}
        />
        {props.beside}
        <IconButton icon="send" type="submit" label={props.sendLabel} disabled={!props.canSend} class="composer-send" />
      </div>
    </form>
  );
}
