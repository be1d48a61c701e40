// A channel between tabs where the browser has none: Safari before 15.4.
import type { Channel } from "../src/platform";

/** The storage event reaches every other tab of the origin, never the one that wrote. */
export function storageChannel(name: string, hear: (message: unknown) => void): Pick<Channel, "post" | "close"> {
  const key = `frontdesk/channel/${name}`;
  const listen = (event: StorageEvent): void => {
    if (event.key !== key || event.newValue === null) return;
    try {
      hear(JSON.parse(event.newValue.slice(event.newValue.indexOf(" ") + 1)));
    } catch {
      // Nothing of ours.
    }
  };
  window.addEventListener("storage", listen);
  return {
    post: (message) => {
      try {
        // The number makes the same message twice two events.
        localStorage.setItem(key, `${Math.random()} ${JSON.stringify(message)}`);
        localStorage.removeItem(key);
      } catch {
        // Without storage tabs cannot hear each other.
      }
    },
    close: () => window.removeEventListener("storage", listen),
  };
}
