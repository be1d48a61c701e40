// What settings pages share: the frame, loading and failing, forms that say what happened.
import type { ComponentChildren } from "preact";
import { useCallback, useEffect, useRef, useState } from "preact/hooks";
import { ApiError } from "../../model/api";
import { useConsole } from "../context";
import { Icon } from "../parts/icon";
import { Failed, SkeletonRows } from "../parts/states";
import { Explained, failureText } from "../failure";

export function Page({ title, lead, action, wide, crumb, children }: { readonly title: string; readonly wide?: boolean; readonly crumb?: { readonly href: string; readonly text: string }; readonly lead?: string; readonly action?: ComponentChildren; readonly children: ComponentChildren }) {
  return (
    <div class={wide === true ? "page-body page-wide" : "page-body"}>
      {crumb !== undefined && (
        <a class="crumb" href={crumb.href}>
          <Icon name="chevron-left" size={14} />
          {crumb.text}
        </a>
      )}
      <header class="page-head">
        <div>
          <h1>{title}</h1>
          {lead !== undefined && <p class="page-lead">{lead}</p>}
        </div>
        {action}
      </header>
      {children}
    </div>
  );
}

export function Card({ title, text, action, testid, children }: { readonly title?: string; readonly text?: string; readonly action?: ComponentChildren; readonly testid?: string; readonly children?: ComponentChildren }) {
  return (
    <section class="card" data-testid={testid}>
      {title !== undefined && (
        <div class="card-head">
          <h2 class="card-title">{title}</h2>
          {action}
        </div>
      )}
      {text !== undefined && <p class="card-text">{text}</p>}
      {children}
    </section>
  );
}

export type Loaded<T> = {
  readonly value: T;
  /** Reads again; the old value stays on the screen meanwhile, and where that fails. */
  readonly reload: () => Promise<void>;
  /** Puts a value in the place of what was read. */
  readonly put: (value: T) => void;
};

/** Reads something over HTTP; gives it to `children`, or a skeleton, or why it cannot be read. */
export function Load<T>({ read, children }: { readonly read: () => Promise<T>; readonly children: (loaded: Loaded<T>) => ComponentChildren }) {
  const [value, setValue] = useState<{ readonly value: T } | null>(null);
  const [error, setError] = useState<string | null>(null);
  const reload = useCallback(async () => {
    setError(null);
    try {
      setValue({ value: await read() });
    } catch (failure) {
      setError(failureText(failure));
    }
  }, []);
  useEffect(() => void reload(), []);
  if (value !== null) return <>{children({ value: value.value, reload, put: (next) => setValue({ value: next }) })}</>;
  return error === null ? <SkeletonRows count={4} /> : <Failed text={error} onRetry={() => void reload()} />;
}

/** Runs something now and again, as long as the view is shown and the tab is looked at. */
export function useAgain(run: () => unknown, everyMs: number): void {
  useEffect(() => {
    const timer = setInterval(() => {
      if (!document.hidden) run();
    }, everyMs);
    return () => clearInterval(timer);
  }, []);
}

export type Submit = {
  readonly busy: boolean;
  readonly error: string | null;
  /** The error, where it is about this field. */
  readonly errorOf: (field: string) => string | null;
  /** Runs the work of a form; says "saved" and true where it went well. */
  readonly run: (work: () => Promise<unknown>, options?: { readonly silent?: boolean }) => Promise<boolean>;
  /** Forgets the error. */
  readonly clear: () => void;
};

export function useSubmit(): Submit {
  const app = useConsole();
  const [busy, setBusy] = useState(false);
  const [failure, setFailure] = useState<unknown>(null);
  // Fields that show their own error: one about anything else stands at the foot of the form.
  const shown = useRef(new Set<string>());
  shown.current = new Set();
  const field = failure instanceof ApiError || failure instanceof Explained ? failure.field : null;
  return {
    busy,
    get error() {
      return failure === null || (field !== null && shown.current.has(field)) ? null : failureText(failure);
    },
    errorOf: (name) => {
      shown.current.add(name);
      return field === name ? failureText(failure) : null;
    },
    run: async (work, { silent = false } = {}) => {
      setBusy(true);
      setFailure(null);
      try {
        await work();
        if (!silent) app.notices.show("ok", "saved");
        return true;
      } catch (caught) {
        setFailure(caught);
        return false;
      } finally {
        setBusy(false);
      }
    },
    clear: () => setFailure(null),
  };
}

export function FormError({ submit }: { readonly submit: Submit }) {
  if (submit.error === null) return null;
  return (
    <p class="form-error" role="alert">
      <Icon name="circle-alert" />
      {submit.error}
    </p>
  );
}
