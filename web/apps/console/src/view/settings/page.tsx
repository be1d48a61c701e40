// What settings pages share: the frame, loading and failing, forms that say what happened.
import type { ComponentChildren } from "preact";
import { useCallback, useEffect, useState } from "preact/hooks";
import { ApiError } from "../../model/api";
import { useConsole } from "../context";
import { Icon } from "../parts/icon";
import { Failed, SkeletonRows } from "../parts/states";
import { failureText } from "../sign-in";

export function Page({ title, lead, action, children }: { readonly title: string; readonly lead?: string; readonly action?: ComponentChildren; readonly children: ComponentChildren }) {
  return (
    <div class="page-body">
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

export function Card({ title, text, children }: { readonly title?: string; readonly text?: string; readonly children: ComponentChildren }) {
  return (
    <section class="card">
      {title !== undefined && <h2 class="card-title">{title}</h2>}
      {text !== undefined && <p class="card-text">{text}</p>}
      {children}
    </section>
  );
}

export type Loaded<T> = { readonly value: T; readonly reload: () => Promise<void> };

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
  if (value !== null) return <>{children({ value: value.value, reload })}</>;
  return error === null ? <SkeletonRows count={4} /> : <Failed text={error} onRetry={() => void reload()} />;
}

export type Submit = {
  readonly busy: boolean;
  readonly error: string | null;
  /** The error, where it is about this field. */
  readonly errorOf: (field: string) => string | null;
  /** Runs the work of a form; says "saved" and true where it went well. */
  readonly run: (work: () => Promise<unknown>) => Promise<boolean>;
};

export function useSubmit(): Submit {
  const app = useConsole();
  const [busy, setBusy] = useState(false);
  const [failure, setFailure] = useState<unknown>(null);
  const field = failure instanceof ApiError ? failure.field : null;
  return {
    busy,
    error: failure === null || field !== null ? null : failureText(failure),
    errorOf: (name) => (field === name ? failureText(failure) : null),
    run: async (work) => {
      setBusy(true);
      setFailure(null);
      try {
        await work();
        app.notices.show("ok", "saved");
        return true;
      } catch (caught) {
        setFailure(caught);
        return false;
      } finally {
        setBusy(false);
      }
    },
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
