// Which colleagues a mention would bring into a conversation: the server lets those in who could not
// read it before. What a colleague may do is told only to people who look after users; the others are
// told nothing here.
import type { ReadonlySignal } from "@preact/signals-core";
import { signal } from "@preact/signals-core";
import type { Rights } from "./account";
import type { Api } from "./api";
import type { Session } from "./types";

/** What is known of a colleague: rights by code, teams by id. */
export type Standing = { readonly rights: ReadonlySet<string>; readonly teams: ReadonlySet<string> };

/** As the server decides it; see `may_read` and `may_take_part` in crates/router/src/access.rs. */
export function comesIn(id: string, standing: Standing | undefined, session: Session): boolean {
  if (standing === undefined || session.id === "" || session.status === "closed") return false;
  const { rights, teams } = standing;
  if (!rights.has("conversation.read.own") || rights.has("conversation.read.all")) return false;
  const ofTeam = session.team === "" || teams.has(session.team);
  if (ofTeam && (rights.has("conversation.read.team") || session.status === "queued")) return false;
  return session.owner?.id !== id && !session.participants.some((participant) => participant.id === id);
}

/** Everybody's standing, for those who may know it. */
export class Standings {
  readonly #known = signal<ReadonlyMap<string, Standing>>(new Map());
  readonly known: ReadonlySignal<ReadonlyMap<string, Standing>> = this.#known;
  #loading = false;

  constructor(
    private readonly api: Pick<Api, "people" | "roles">,
    private readonly rights: Rights,
  ) {}

  /** Whether a mention of this colleague brings them in, as far as that is known. */
  comesIn(id: string, session: Session): boolean {
    return comesIn(id, this.#known.value.get(id), session);
  }

  async load(): Promise<void> {
    // Without the right to hand a conversation on nobody is brought in.
    if (this.#loading || !this.rights.has("settings.users") || !this.rights.has("conversation.assign")) return;
    this.#loading = true;
    try {
      const [people, { roles }] = await Promise.all([this.api.people(), this.api.roles()]);
      const rightsOf = new Map(roles.map((role) => [role.id, new Set(role.rights)]));
      this.#known.value = new Map(people.map(({ id, role, teams }) => [id, { rights: rightsOf.get(role) ?? new Set<string>(), teams: new Set(teams) }]));
    } catch {
      // Nothing is said of what is not known.
    } finally {
      this.#loading = false;
    }
  }
}
