// Words that are masked, refused or flagged: the rules, a text to try them on, and what they caught.
import { useState } from "preact/hooks";
import type { WordRule, WordsConfig } from "../../model/words";
import { refusedPart, withRule } from "../../model/words";
import { useConsole } from "../context";
import { Explained } from "../failure";
import { Button } from "../parts/controls";
import { Icon } from "../parts/icon";
import { Empty } from "../parts/states";
import { t } from "../text";
import { Confirm } from "./confirm";
import type { Loaded } from "./page";
import { Card, Load, Page } from "./page";
import { useConflict } from "./conflict";
import { WordHits } from "./words/hits";
import { RuleDialog } from "./words/rule";
import { TryWords } from "./words/try";

export function WordsPage() {
  const app = useConsole();
  return (
    <Page title={t("settings.words")} lead={t("words.lead")}>
      <Load read={() => app.api.words.read()}>
        {(loaded) => (
          <div class="cards">
            <Rules loaded={loaded} />
            <TryWords revision={loaded.value.revision} />
            <WordHits />
          </div>
        )}
      </Load>
    </Page>
  );
}

type Open = { readonly kind: "add" } | { readonly kind: "edit" | "remove"; readonly rule: WordRule } | null;

function Rules({ loaded: { value, put } }: { readonly loaded: Loaded<WordsConfig> }) {
  const app = useConsole();
  const [open, setOpen] = useState<Open>(null);
  const conflict = useConflict(value, async () => {
    const theirs = await app.api.words.read();
    // The table shows at once what holds; the rule that was edited stays in its form.
    put(theirs);
    return theirs;
  });
  const { rules } = value;
  const close = () => {
    conflict.clear();
    setOpen(null);
  };
  /** What an edit makes of the rules, which are those of somebody else where they were faster. */
  const change = async (edit: (rules: readonly WordRule[]) => readonly WordRule[]) => {
    try {
      put(await conflict.save((known) => app.api.words.change(edit(known.rules), known.revision)));
    } catch (failure) {
      // The server counts the rules; the form knows only its own.
      throw failure instanceof Explained && failure.field !== null ? new Explained(failure.key, failure.params, refusedPart(failure.field)) : failure;
    }
  };
  const at = (among: readonly WordRule[], name: string) => {
    const found = among.findIndex((rule) => rule.name === name);
    return found < 0 ? null : found;
  };
  const taken = (but: string) => rules.map((rule) => rule.name).filter((name) => name !== but);
  return (
    <Card
      title={t("words.rules")}
      text={t("words.rules_text")}
      testid="word-rules"
      action={
        <Button size="small" icon="plus" testid="add-word-rule" onClick={() => setOpen({ kind: "add" })}>
          {t("words.add")}
        </Button>
      }
    >
      {rules.length === 0 ? (
        <Empty icon="shield-alert" title={t("words.none")}>
          <p>{t("words.none_text")}</p>
        </Empty>
      ) : (
        <div class="table-scroll">
          <table class="table table-stacks word-table">
            <thead>
              <tr>
                <th scope="col">{t("words.rule")}</th>
                <th scope="col">{t("words.finds")}</th>
                <th scope="col">{t("words.action")}</th>
                <th scope="col">{t("words.applies_to")}</th>
                <th scope="col">
                  <span class="visually-hidden">{t("more")}</span>
                </th>
              </tr>
            </thead>
            <tbody>
              {rules.map((rule) => (
                <tr key={rule.name} data-testid="word-rule">
                  <td>
                    <span class="person-name">{rule.name}</span>
                  </td>
                  <td data-label={t("words.finds")}>
                    <Finds rule={rule} />
                  </td>
                  <td data-label={t("words.action")}>
                    <ActionTag action={rule.action} />
                  </td>
                  <td data-label={t("words.applies_to")}>{t(`words.reach_${rule.applies_to}`)}</td>
                  <td class="row-menu word-actions">
                    <Button size="small" kind="quiet" icon="pencil" label={t("edit_named", { name: rule.name })} testid="edit-word-rule" onClick={() => setOpen({ kind: "edit", rule })} />
                    <Button size="small" kind="quiet" icon="trash-2" label={t("remove_named", { name: rule.name })} testid="remove-word-rule" onClick={() => setOpen({ kind: "remove", rule })} />
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
      {open?.kind === "add" && <RuleDialog rule={null} taken={taken("")} onSave={(rule) => change((among) => withRule(among, null, rule))} onClose={close} />}
      {open?.kind === "edit" && <RuleDialog rule={open.rule} taken={taken(open.rule.name)} onSave={(rule) => change((among) => withRule(among, at(among, open.rule.name), rule))} onClose={close} />}
      {open?.kind === "remove" && <Confirm title={t("words.remove")} text={t("words.remove_text", { name: open.rule.name })} action={t("remove")} run={() => change((among) => among.filter((rule) => rule.name !== open.rule.name))} onClose={close} />}
    </Card>
  );
}

const wordsShown = 6;

function Finds({ rule }: { readonly rule: WordRule }) {
  switch (rule.kind) {
    case "words":
      return (
        <ul class="intent-words" aria-label={t("words.kind_words")}>
          {rule.words.slice(0, wordsShown).map((word) => (
            <li key={word} class="intent-word">
              {word}
            </li>
          ))}
          {rule.words.length > wordsShown && <li class="meta">{t("words.more", { count: rule.words.length - wordsShown })}</li>}
        </ul>
      );
    case "pattern":
      return <code class="word-pattern">{rule.pattern}</code>;
    case "card":
    case "id_number":
      return <span>{t(`words.kind_${rule.kind}`)}</span>;
  }
}

const actionIcons = { mask: "eye-off", refuse: "circle-x", flag: "triangle-alert" } as const;

export function ActionTag({ action }: { readonly action: string }) {
  const known = action === "mask" || action === "refuse" || action === "flag" ? action : null;
  return (
    <span class={known === "refuse" ? "tag tag-danger" : known === "flag" ? "tag tag-warning" : "tag"}>
      {known !== null && <Icon name={actionIcons[known]} size={12} />}
      {known === null ? action : t(`words.action_${known}`)}
    </span>
  );
}
