// A lock between tabs where the browser has none: Safari before 15.4, and pages over plain http.
import type { KeyValueStore } from "../src/platform";

/** Long enough for every tab to have written its claim. */
const CLAIM_MS = 60;
const CLAIM_LIFE_MS = 5_000;

/** Does `work` while no other tab of the origin does anything under that name. */
export async function withClaim<T>(storage: KeyValueStore, name: string, work: () => Promise<T>): Promise<T> {
  const key = `frontdesk/lock/${name}`;
  const mine = `${Math.random()}`;
  for (;;) {
    const claim = storage.get(key);
    const free = claim === undefined || Number(claim.split(" ")[1]) < Date.now();
    if (free) storage.set(key, `${mine} ${Date.now() + CLAIM_LIFE_MS}`);
    await new Promise((resolve) => window.setTimeout(resolve, CLAIM_MS));
    // Of tabs that claimed at the same time the last writer has it, and all of them see that.
    if (free && storage.get(key)?.split(" ")[0] === mine) break;
  }
  try {
    return await work();
  } finally {
    storage.remove(key);
  }
}
