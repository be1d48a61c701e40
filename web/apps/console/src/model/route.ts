// Where the reader is: the part of the address behind #, so the console needs no server route and
// works under any path prefix.

export const listViews = ["mine", "mentions", "queue", "team", "all", "closed"] as const;
export type ListView = (typeof listViews)[number];

export const settingsPages = ["profile", "people", "teams", "inboxes", "replies", "keys", "limits"] as const;
export type SettingsPage = (typeof settingsPages)[number];

export type Route =
  | { readonly page: "setup"; readonly token: string }
  | { readonly page: "sign-in" }
  | { readonly page: "inbox"; readonly view: ListView; readonly conversation: string | null }
  | { readonly page: "waiting" }
  | { readonly page: "settings"; readonly section: SettingsPage | null; readonly item: string | null };

const home: Route = { page: "inbox", view: "mine", conversation: null };

function oneOf<T extends string>(known: readonly T[], value: string | undefined): T | null {
  return known.find((name) => name === value) ?? null;
}

/** Reads `location.hash`; anything unknown leads home. */
export function parseRoute(hash: string): Route {
  const [path = "", query = ""] = hash.replace(/^#\/?/, "").split("?", 2);
  const parts = path.split("/").filter((part) => part !== "");
  switch (parts[0]) {
    case "setup":
      return { page: "setup", token: new URLSearchParams(query).get("token") ?? "" };
    case "sign-in":
      return { page: "sign-in" };
    case "inbox":
      return { page: "inbox", view: oneOf(listViews, parts[1]) ?? "mine", conversation: parts[2] ?? null };
    case "waiting":
      return { page: "waiting" };
    case "settings":
      return { page: "settings", section: oneOf(settingsPages, parts[1]), item: parts[2] ?? null };
    default:
      return home;
  }
}

export function formatRoute(route: Route): string {
  switch (route.page) {
    case "setup":
      return `#/setup?token=${encodeURIComponent(route.token)}`;
    case "sign-in":
      return "#/sign-in";
    case "inbox":
      return `#/inbox/${route.view}${route.conversation === null ? "" : `/${route.conversation}`}`;
    case "waiting":
      return "#/waiting";
    case "settings": {
      const parts = [route.section, route.item].filter((part) => part !== null);
      return `#/settings${parts.map((part) => `/${part}`).join("")}`;
    }
  }
}
