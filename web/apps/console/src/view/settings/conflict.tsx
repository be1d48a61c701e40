// Saving what somebody else may have saved meanwhile: nothing of theirs is lost unseen, and nothing of one's own.
import { useState } from "preact/hooks";
import { isChanged } from "../../model/api";
import { Explained, spoken } from "../failure";
import { Button } from "../parts/controls";
import { Icon } from "../parts/icon";
import { t } from "../text";

export type Conflict<T> = {
  /** What somebody else saved; null where nobody did. */
  readonly theirs: T | null;
  /** Writes over the revision that is known; fails with words where there is a newer one, which is known from then on. */
  readonly save: (write: (known: T) => Promise<T>) => Promise<T>;
  readonly clear: () => void;
};

export function useConflict<T>(saved: T, read: () => Promise<T>): Conflict<T> {
  const [theirs, setTheirs] = useState<T | null>(null);
  const save = async (write: (known: T) => Promise<T>) => {
    try {
      const done = await write(theirs ?? saved);
      setTheirs(null);
      return done;
    } catch (failure) {
      if (!isChanged(failure)) throw spoken(failure);
      setTheirs(await read());
      throw new Explained("conflict.changed");
    }
  };
  return { theirs, save, clear: () => setTheirs(null) };
}

/** Says that somebody else saved, and offers to see theirs in place of one's own. */
export function ConflictNote<T>({ conflict, onTheirs }: { readonly conflict: Conflict<T>; readonly onTheirs: (theirs: T) => void }) {
  const { theirs } = conflict;
  if (theirs === null) return null;
  return (
    <div class="conflict-note" role="note" data-testid="conflict">
      <Icon name="triangle-alert" />
      <p>{t("conflict.text")}</p>
      <Button
        size="small"
        testid="conflict-theirs"
        onClick={() => {
          onTheirs(theirs);
          conflict.clear();
        }}
      >
        {t("conflict.theirs")}
      </Button>
    </div>
  );
}
