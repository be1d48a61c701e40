// The colour behind somebody's initials: the one they chose, else always the same for the same id.

export const avatarHues = [0, 1, 2, 3, 4, 5, 6, 7] as const;
export type Hue = (typeof avatarHues)[number];

/** As the server keeps it. */
export function avatarOf(hue: Hue): string {
  return `hue-${hue}`;
}

/** What somebody chose; null where they chose nothing. */
export function hueOf(avatar: string | null | undefined): Hue | null {
  return avatarHues.find((hue) => avatarOf(hue) === avatar) ?? null;
}

export function hueById(id: string): Hue {
  let hash = 0;
  for (let at = 0; at < id.length; at++) hash = (hash * 31 + id.charCodeAt(at)) >>> 0;
  return avatarHues[hash % avatarHues.length] ?? 0;
}

/** The colours that people chose, by their ids. */
export function huesOf(people: Iterable<{ readonly id: string; readonly avatar?: string }>): ReadonlyMap<string, Hue> {
  const hues = new Map<string, Hue>();
  for (const person of people) {
    const hue = hueOf(person.avatar);
    if (hue !== null) hues.set(person.id, hue);
    else hues.delete(person.id);
  }
  return hues;
}
