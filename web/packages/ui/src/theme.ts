// Light or dark: the system's choice unless somebody chose. Sets the attribute the tokens follow.

export type ThemeChoice = "system" | "light" | "dark";

/** Keeps `data-theme` right until the returned function is called. */
export function followTheme(choice: ThemeChoice): () => void {
  const root = document.documentElement;
  if (choice !== "system") {
    root.dataset.theme = choice;
    return () => undefined;
  }
  const dark = window.matchMedia("(prefers-color-scheme: dark)");
  const apply = (): void => {
    root.dataset.theme = dark.matches ? "dark" : "light";
  };
  apply();
  // Safari before 14 knows only the old name.
  const old = dark as { addListener?: (run: () => void) => void; removeListener?: (run: () => void) => void };
  if (typeof dark.addEventListener === "function") {
    dark.addEventListener("change", apply);
    return () => dark.removeEventListener("change", apply);
  }
  old.addListener?.(apply);
  return () => old.removeListener?.(apply);
}
