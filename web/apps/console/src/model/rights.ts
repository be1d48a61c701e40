// The rights of a role, in the groups a person thinks in. Codes are the server's; one that this
// console does not know yet stands in the last group under its code.

export type RightsGroup = { readonly name: "read" | "answer" | "lead" | "settings" | "other"; readonly rights: readonly string[] };

const groups: readonly RightsGroup[] = [
  { name: "read", rights: ["conversation.read.own", "conversation.read.team", "conversation.read.all", "visitor.read"] },
  { name: "answer", rights: ["conversation.write", "conversation.note", "conversation.assign", "conversation.close"] },
  { name: "lead", rights: ["conversation.take_over", "conversation.erase", "report.read"] },
  { name: "settings", rights: ["settings.account", "settings.inboxes", "settings.knowledge", "settings.bots", "settings.teams", "settings.replies", "settings.users", "settings.roles", "settings.keys"] },
];

/** The rights of the server in their groups; groups without one are left out. */
export function groupRights(all: readonly string[]): readonly RightsGroup[] {
  const known = new Set(groups.flatMap((group) => group.rights));
  const grouped = groups.map((group) => ({ ...group, rights: group.rights.filter((right) => all.includes(right)) }));
  return [...grouped, { name: "other" as const, rights: all.filter((right) => !known.has(right)) }].filter((group) => group.rights.length > 0);
}

/** What somebody may not hand out: what they do not have themselves. */
export function beyond(rights: Iterable<string>, own: ReadonlySet<string>): readonly string[] {
  return [...rights].filter((right) => !own.has(right));
}
