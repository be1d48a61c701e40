// Rights with their names and what they mean, in groups. What whoever edits does not have themselves
// cannot be given.
import { useId } from "preact/hooks";
import { groupRights } from "../../model/rights";
import { Icon } from "../parts/icon";
import { t, texts } from "../text";

type Props = {
  readonly all: readonly string[];
  /** What the reader has: nobody hands out more. */
  readonly own: ReadonlySet<string>;
  readonly chosen: ReadonlySet<string>;
  readonly locked?: boolean;
  readonly error?: string | null;
  readonly onChange: (chosen: ReadonlySet<string>) => void;
};

export function rightName(right: string): string {
  const key = `right.${right}`;
  return texts.has(key) ? t(key) : right;
}

export function RightsFields({ all, own, chosen, locked, error, onChange }: Props) {
  const id = useId();
  const put = (rights: readonly string[], checked: boolean) => {
    const next = new Set(chosen);
    for (const right of rights) {
      if (checked) next.add(right);
      else next.delete(right);
    }
    onChange(next);
  };
  return (
    <div class="rights">
      {groupRights(all).map((group) => {
        const free = group.rights.filter((right) => own.has(right));
        const whole = free.length > 0 && free.every((right) => chosen.has(right));
        return (
          <fieldset key={group.name} class="rights-group">
            <legend>{t(`rights.group_${group.name}`)}</legend>
            {locked !== true && free.length > 1 && (
              <button type="button" class="link-button rights-all" onClick={() => put(free, !whole)}>
                {whole ? t("rights.none_of") : t("rights.all_of")}
                <span class="visually-hidden">: {t(`rights.group_${group.name}`)}</span>
              </button>
            )}
            {group.rights.map((right) => {
              const help = `right_help.${right}`;
              const missing = !own.has(right);
              return (
                <div key={right} class="right">
                  <input id={`${id}-${right}`} type="checkbox" checked={chosen.has(right)} disabled={locked === true || missing} aria-describedby={`${id}-${right}-help`} data-testid={`right-${right}`} onChange={(event) => put([right], event.currentTarget.checked)} />
                  <label for={`${id}-${right}`}>{rightName(right)}</label>
                  <p class="meta" id={`${id}-${right}-help`}>
                    {texts.has(help) ? t(help) : ""} {missing && locked !== true ? t("rights.not_yours") : ""}
                  </p>
                </div>
              );
            })}
          </fieldset>
        );
      })}
      {error !== null && error !== undefined && (
        <p class="field-error" role="alert">
          <Icon name="circle-alert" size={14} />
          {error}
        </p>
      )}
    </div>
  );
}
