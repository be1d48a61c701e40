// The language model as a help for whoever answers: it puts a reply better or into another language, and sums a
// conversation up. What it writes is looked over before it is sent; one's own words are a press away.
import { LOCALES } from "@frontdesk/i18n";
import type { ComponentChildren } from "preact";
import { useCallback, useEffect, useRef, useState } from "preact/hooks";
import type { Chat } from "../../model/chat";
import { useConsole, useDesk } from "../context";
import { failureText } from "../failure";
import { Button } from "../parts/controls";
import { Icon } from "../parts/icon";
import type { MenuItem } from "../parts/overlay";
import { Menu } from "../parts/overlay";
import { SkeletonFacts } from "../parts/states";
import { locale, t } from "../text";
import { languageName } from "./details";

type State = { readonly kind: "idle" } | { readonly kind: "working" } | { readonly kind: "done"; readonly before: string; readonly after: string };

export type Assist = { readonly button: ComponentChildren; readonly state: ComponentChildren; readonly menu: ComponentChildren };

/** Its button stands in the composer's foot; its menu above the composer, which cuts off what hangs over its edge. */
export function useAssist(chat: Chat, onDone: () => void): Assist | null {
  const app = useConsole();
  const { assist } = useDesk();
  const [open, setOpen] = useState(false);
  const [state, setState] = useState<State>({ kind: "idle" });
  const run = useRef(0);
  useEffect(() => {
    void assist.look();
    return () => void (run.current += 1);
  }, []);
  const close = useCallback(() => setOpen(false), []);
  // The menu knows what is outside the composer; a press beside it in the composer ends it as well.
  useEffect(() => {
    if (!open) return;
    const pressed = (event: Event) => {
      if (event.target instanceof Element && event.target.closest('.menu, [data-testid="composer-assist"]') === null) setOpen(false);
    };
    document.addEventListener("pointerdown", pressed);
    return () => document.removeEventListener("pointerdown", pressed);
  }, [open]);
  const { composer } = chat;
  const text = composer.text.value;
  const kinds = assist.kinds.value.filter((kind) => kind !== "summary");
  if (kinds.length === 0) return null;

  const start = async (kind: "rewrite" | "translate", language: string) => {
    const own = ++run.current;
    setState({ kind: "working" });
    try {
      const after = await app.api.llm.assist(chat.id, { kind, text, language });
      if (own !== run.current) return;
      // What was typed meanwhile is not written over.
      if (composer.text.peek() !== text || after.trim() === "") {
        setState({ kind: "idle" });
        return;
      }
      composer.setText(after);
      setState({ kind: "done", before: text, after });
      onDone();
    } catch (failure) {
      if (own !== run.current) return;
      setState({ kind: "idle" });
      app.notices.show("danger", "assist.failed");
      console.warn(failureText(failure));
    }
  };
  const visitors = chat.row.value?.language ?? "";
  const languages = [...new Set([visitors, ...LOCALES].filter((tag) => tag !== ""))];
  const items: MenuItem[] = [];
  if (kinds.includes("rewrite")) items.push({ key: "rewrite", label: t("assist.rewrite"), icon: "pencil", testid: "assist-rewrite", run: () => void start("rewrite", visitors === "" ? locale() : visitors) });
  if (kinds.includes("translate")) languages.forEach((tag, at) => items.push({ key: tag, separated: at === 0 && items.length > 0, label: t("assist.translate", { language: languageName(tag) }), icon: "languages", testid: `assist-translate-${tag}`, run: () => void start("translate", tag) }));
  return {
    button: <Button kind="quiet" size="small" icon="sparkles" label={t("assist.open")} popup="menu" expanded={open} busy={state.kind === "working"} disabled={text.trim() === ""} testid="composer-assist" onClick={() => setOpen(!open)} />,
    menu: open && <Menu label={t("assist.open")} items={items} side="above" onClose={close} />,
    state: (
      <span role="status" class="assist-state">
        {state.kind === "working" && t("assist.working")}
        {state.kind === "done" && state.after === text && (
          <>
            <span>{t("assist.done")}</span>
            <button
              type="button"
              class="link-button"
              data-testid="assist-undo"
              onClick={() => {
                composer.setText(state.before);
                setState({ kind: "idle" });
                onDone();
              }}
            >
              {t("assist.undo")}
            </button>
          </>
        )}
      </span>
    ),
  };
}

type Summed = { readonly kind: "none" } | { readonly kind: "working" } | { readonly kind: "failed"; readonly text: string } | { readonly kind: "done"; readonly text: string };

/** The conversation in a few lines, in the reader's language. */
export function Summary({ chat }: { readonly chat: Chat }) {
  const app = useConsole();
  const { assist } = useDesk();
  const [summed, setSummed] = useState<Summed>({ kind: "none" });
  const gone = useRef(false);
  useEffect(() => {
    void assist.look();
    return () => {
      gone.current = true;
    };
  }, []);
  if (!assist.kinds.value.includes("summary") || chat.session.value.id === "") return null;
  const start = async () => {
    setSummed({ kind: "working" });
    try {
      const text = await app.api.llm.assist(chat.id, { kind: "summary", text: "", language: locale() });
      if (!gone.current) setSummed({ kind: "done", text });
    } catch (failure) {
      if (!gone.current) setSummed({ kind: "failed", text: failureText(failure) });
    }
  };
  return (
    <section data-testid="summary">
      <h3 class="details-title">{t("assist.summary")}</h3>
      <div role="status" class="summary">
        {summed.kind === "working" && <SkeletonFacts />}
        {summed.kind === "failed" && (
          <p class="sign-danger summary-failed">
            <Icon name="circle-alert" size={14} />
            {summed.text}
          </p>
        )}
        {summed.kind === "done" && (
          <>
            <p class="summary-text" dir="auto" data-testid="summary-text">
              {summed.text}
            </p>
            <p class="meta">{t("assist.summary_hint")}</p>
          </>
        )}
      </div>
      {summed.kind !== "working" && (
        <Button size="small" icon="sparkles" testid="summarise" onClick={() => void start()}>
          {summed.kind === "none" ? t("assist.summarise") : summed.kind === "failed" ? t("retry") : t("assist.again")}
        </Button>
      )}
    </section>
  );
}
