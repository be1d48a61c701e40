// Where the reader is: the part of the address behind #, so the console needs no server route and
// works under any path prefix.

export const listViews = ["mine", "mentions", "queue", "team", "all", "closed"] as const;
export type ListView = (typeof listViews)[number];

export const settingsPages = ["profile", "people", "rights", "teams", "inboxes", "intents", "bot", "flows", "llm", "words", "replies", "keys", "limits"] as const;
export type SettingsPage = (typeof settingsPages)[number];

/** What is left of a first start once the account exists. */
export const welcomeSteps = ["snippet", "test", "invite"] as const;
export type WelcomeStep = (typeof welcomeSteps)[number];

export type Route =
  | { readonly page: "setup"; readonly token: string }
  | { readonly page: "sign-in" }
  | { readonly page: "invite"; readonly token: string }
  | { readonly page: "welcome"; readonly step: WelcomeStep }
  | { readonly page: "inbox"; readonly view: ListView; readonly conversation: string | null }
  | { readonly page: "waiting" }
  | { readonly page: "knowledge"; readonly article: string | null }
  | { readonly page: "settings"; readonly section: SettingsPage | null; readonly item: string | null; readonly part?: string | null };

const home: Route = { page: "inbox", view: "mine", conversation: null };

function oneOf<T extends string>(known: readonly T[], value: string | undefined): T | null {
  return known.find((name) => name === value) ?? null;
}

function decode(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
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
    case "invite":
      return { page: "invite", token: decode(parts[1] ?? "") };
    case "welcome":
      return { page: "welcome", step: oneOf(welcomeSteps, parts[1]) ?? "snippet" };
    case "inbox":
      return { page: "inbox", view: oneOf(listViews, parts[1]) ?? "mine", conversation: parts[2] ?? null };
    case "waiting":
      return { page: "waiting" };
    case "knowledge":
      return { page: "knowledge", article: parts[1] ?? null };
    case "settings":
      return { page: "settings", section: oneOf(settingsPages, parts[1]), item: parts[2] ?? null, part: parts[3] ?? null };
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
    case "invite":
      return `#/invite/${encodeURIComponent(route.token)}`;
    case "welcome":
      return `#/welcome/${route.step}`;
    case "inbox":
      return `#/inbox/${route.view}${route.conversation === null ? "" : `/${route.conversation}`}`;
    case "waiting":
      return "#/waiting";
    case "knowledge":
      return route.article === null ? "#/knowledge" : `#/knowledge/${route.article}`;
    case "settings": {
      const parts = [route.section, route.item, route.part].filter((part) => part !== null && part !== undefined);
      return `#/settings${parts.map((part) => `/${part}`).join("")}`;
    }
  }
}
