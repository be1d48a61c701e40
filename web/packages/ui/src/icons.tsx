// Lucide icons (lucide.dev, ISC licence), only those that are shown: the paths of a 24 x 24 drawing.
import type { JSX } from "preact";

const PATHS = {
  alert: ["M12 2a10 10 0 1 0 0 20 10 10 0 1 0 0-20", "M12 8v4", "M12 16h.01"],
  check: ["M20 6 9 17l-5-5"],
  checkCheck: ["M18 6 7 17l-5-5", "m22 10-7.5 7.5L13 16"],
  clock: ["M12 2a10 10 0 1 0 0 20 10 10 0 1 0 0-20", "M12 6v6l4 2"],
  more: ["M12 11a1 1 0 1 0 0 2 1 1 0 1 0 0-2", "M19 11a1 1 0 1 0 0 2 1 1 0 1 0 0-2", "M5 11a1 1 0 1 0 0 2 1 1 0 1 0 0-2"],
  paperclip: ["m21.44 11.05-9.19 9.19a6 6 0 0 1-8.49-8.49l8.57-8.57A4 4 0 1 1 18 8.84l-8.59 8.57a2 2 0 0 1-2.83-2.83l8.49-8.48"],
  send: ["m22 2-7 20-4-9-9-4Z", "M22 2 11 13"],
  x: ["M18 6 6 18", "m6 6 12 12"],
} as const;

export type IconName = keyof typeof PATHS;

/** Any drawing, for what is shown so seldom that its path comes with it. */
export function Drawing({ paths, small = false }: { paths: readonly string[]; small?: boolean }): JSX.Element {
  return (
    <svg class={small ? "icon icon-small" : "icon"} viewBox="0 0 24 24" aria-hidden="true">
      {paths.map((path) => (
        <path key={path} d={path} />
      ))}
    </svg>
  );
}

/** Decoration: what it means stands beside it or on the control around it. */
export function Icon({ name, small = false }: { name: IconName; small?: boolean }): JSX.Element {
  return <Drawing paths={PATHS[name]} small={small} />;
}
