// Who is at the screen: nobody yet, somebody signed in, or a first administrator setting up.
import type { ReadonlySignal } from "@preact/signals-core";
import { signal } from "@preact/signals-core";
import type { Api, DemoUser, EntryOptions, Me, SetUp, SetUpDone } from "./api";
import { ApiError } from "./api";

export type AccountState =
  | { readonly kind: "loading" }
  | { readonly kind: "failed"; readonly code: string }
  | { readonly kind: "signed-out"; readonly demoUsers: readonly DemoUser[]; readonly setUpNeeded: boolean; readonly expired: boolean }
  | { readonly kind: "signed-in"; readonly me: Me };

export class Account {
  readonly #state = signal<AccountState>({ kind: "loading" });
  readonly state: ReadonlySignal<AccountState> = this.#state;

  /** Somebody signed in just now, rather than coming back to an open session. */
  fresh = false;

  constructor(private readonly api: Api) {}

  async load(): Promise<void> {
    try {
      this.#state.value = { kind: "signed-in", me: await this.api.me() };
    } catch (error) {
      if (error instanceof ApiError && error.status === 401) await this.#signedOut(false);
      else this.#state.value = { kind: "failed", code: error instanceof ApiError ? error.code : "connection.lost" };
    }
  }

  async signIn(email: string, password: string): Promise<void> {
    await this.api.signIn(email, password);
    this.fresh = true;
    await this.load();
  }

  async signInDemo(email: string): Promise<void> {
    await this.api.signInDemo(email);
    this.fresh = true;
    await this.load();
  }

  async setUp(body: SetUp): Promise<SetUpDone> {
    const done = await this.api.setUp(body);
    this.fresh = true;
    await this.load();
    return done;
  }

  /** Joins by an invitation's link; who accepts is signed in. */
  async join(token: string, displayName: string, password: string): Promise<void> {
    await this.api.acceptInvitation(token, { display_name: displayName, password });
    this.fresh = true;
    await this.load();
  }

  async signOut(): Promise<void> {
    await this.api.signOut();
    await this.#signedOut(false);
  }

  /** The server no longer knows the login: it ended, or the person was disabled. */
  async expired(): Promise<void> {
    await this.#signedOut(true);
  }

  updated(me: Me): void {
    if (this.#state.peek().kind === "signed-in") this.#state.value = { kind: "signed-in", me };
  }

  async #signedOut(expired: boolean): Promise<void> {
    // Without these options people can still sign in by hand.
    const options = await this.api.entryOptions().catch((): EntryOptions => ({ needed: false }));
    this.#state.value = { kind: "signed-out", demoUsers: options.demo_users ?? [], setUpNeeded: options.needed, expired };
  }
}

/** What a person may see and do: the console offers nothing the server would refuse. */
export class Rights {
  readonly #set: ReadonlySet<string>;

  constructor(rights: readonly string[]) {
    this.#set = new Set(rights);
  }

  has(right: string): boolean {
    return this.#set.has(right);
  }

  any(...rights: readonly string[]): boolean {
    return rights.some((right) => this.#set.has(right));
  }
}
