// The HTTP API as the console uses it: paths, shapes and one error type. Shapes are as the server
// sends them (snake_case); rows come in the wire's JSON mapping.
import type { Schemas } from "@frontdesk/api-client";
import type { HttpAnswer, HttpRequest } from "@frontdesk/client";
import type { RowJson, TimelineItemJson } from "@frontdesk/protocol";
import { ArticlesApi } from "./articles";
import { BotApi } from "./bot";
import type { Hours } from "./hours";
import { LlmApi } from "./llm";
import type { CannedReply } from "./replies";
import type { SignalChoices } from "./signals";
import { WordsApi } from "./words";

/** The server (or the way to it) said no. `code` is stable; `field` names what to mend. */
export class ApiError extends Error {
  override readonly name = "ApiError";

  constructor(
    readonly status: number,
    readonly code: string,
    readonly field: string | null,
    readonly detail: string | null,
    readonly retryAfterMs: number | undefined,
  ) {
    super(`the request failed: ${code}`);
  }

  static lost(): ApiError {
    return new ApiError(0, "connection.lost", null, null, undefined);
  }

  static from(answer: HttpAnswer): ApiError {
    const body = typeof answer.body === "object" && answer.body !== null ? (answer.body as Record<string, unknown>) : {};
    const text = (name: string) => (typeof body[name] === "string" ? body[name] : null);
    return new ApiError(answer.status, text("code") ?? `http.${answer.status}`, text("field"), text("detail"), answer.retryAfterMs);
  }
}

/** Somebody else saved meanwhile: what was sent was made of an older revision. */
export function isChanged(failure: unknown): boolean {
  return failure instanceof ApiError && (failure.status === 412 || (failure.status === 409 && failure.code.split(".").includes("changed")));
}

export type Texts = Readonly<Record<string, string>>;

/** Who is signed in, as `GET /me` tells it. */
export type Me = {
  readonly id: string;
  readonly display_name: string;
  readonly email: string;
  /** The colour behind the initials; empty for the one that goes with the id. */
  readonly avatar?: string;
  readonly language: string;
  readonly account: { readonly id: string; readonly name: string; readonly language?: string };
  readonly rights: readonly string[];
  readonly teams: readonly string[];
  readonly demo: boolean;
  /** What a language model may do for whoever answers; absent where the server does not tell. */
  readonly assist?: readonly string[];
};

export type DemoUser = { readonly email: string; readonly name: string; readonly role: string };

/** What the sign-in page needs to know before anybody is signed in. */
export type EntryOptions = { readonly needed: boolean; readonly demo_users?: readonly DemoUser[] };

export type SetUp = {
  readonly token: string;
  readonly account: string;
  readonly display_name: string;
  readonly email: string;
  readonly password: string;
  readonly language: string;
  readonly origins: readonly string[];
};

/** What a set-up made; its owner is signed in. */
export type SetUpDone = { readonly inbox_id: string; readonly inbox_key: string };

export type Team = { readonly id: string; readonly names: Texts; readonly members: readonly string[] };

export type Agent = {
  readonly id: string;
  readonly name: string;
  readonly presence: "online" | "away" | "offline";
  readonly avatar?: string;
  readonly teams: readonly string[];
  readonly open_sessions: number;
  readonly capacity: number;
};

export type Person = {
  readonly id: string;
  readonly email: string;
  readonly display_name: string;
  readonly role: string;
  readonly capacity?: number | null;
  /** What the person is good at, as words: conversations that wish for one of them come to those who have it. */
  readonly skills: readonly string[];
  readonly teams: readonly string[];
  readonly disabled: boolean;
};

export type NewPerson = Pick<Person, "email" | "display_name" | "role" | "skills" | "teams"> & { readonly password: string; readonly language: string };
export type PersonChange = Partial<Pick<Person, "display_name" | "role" | "capacity" | "skills" | "teams" | "disabled">>;

/** Somebody who has a link to join with and has not used it. */
export type Invitation = {
  readonly id: string;
  readonly email: string;
  readonly display_name?: string | null;
  readonly role: string;
  readonly teams: readonly string[];
  readonly language: string;
  readonly expires_at_ms: number;
};
export type NewInvitation = { readonly email: string; readonly display_name?: string; readonly role: string; readonly teams: readonly string[]; readonly language: string };
/** The link is told once. */
export type InvitationMade = { readonly id: string; readonly url: string; readonly expires_at_ms: number };
/** What the invited person reads before they join. */
export type InvitationOffer = { readonly account_name: string; readonly email: string; readonly display_name?: string | null; readonly language: string };


export type Role = { readonly id: string; readonly builtin?: string | null; readonly names: Texts; readonly rights: readonly string[] };
/** All roles, and every right the server knows. */
export type Roles = { readonly roles: readonly Role[]; readonly rights: readonly string[] };

export type Look = { readonly accent: string; readonly side: "left" | "right"; readonly scheme: "auto" | "light" | "dark"; readonly logo: string };
export const identityModes = ["off", "optional", "required"] as const;
export type IdentityMode = (typeof identityModes)[number];
/** A secret that a site signs its visitors' identities with; of its value only the end is known. */
export type IdentitySecret = { readonly id: string; readonly created_at_ms: number; readonly hint: string };
export type Identity = { readonly mode: IdentityMode; readonly secrets: readonly IdentitySecret[] };

export type Inbox = {
  readonly id: string;
  readonly inbox_key: string;
  readonly name: string;
  readonly kind: "website" | "api";
  readonly origins: readonly string[];
  readonly default_team?: string | null;
  readonly routing: "auto" | "manual";
  readonly look: Look;
  readonly texts: Readonly<Record<string, Texts>>;
  readonly hours: Hours;
  /** Of visitors whose own language is not known; empty for the account's. */
  readonly language: string;
  /** Suggested questions by language. */
  readonly questions: Readonly<Record<string, readonly string[]>>;
  /** Opening hours in free words, by language. */
  readonly hours_text: Texts;
  readonly identity: Identity;
};

export type InboxChange = Partial<Pick<Inbox, "name" | "origins" | "default_team" | "routing" | "look" | "texts" | "hours" | "language" | "questions" | "hours_text">> & { readonly identity?: { readonly mode: IdentityMode } };

/** Where the snippet was met, and where the server refused to show the chat. */
export type Sightings = {
  readonly seen: readonly { readonly origin: string; readonly page: string; readonly last_seen_ms: number }[];
  readonly refused: readonly { readonly origin: string; readonly last_seen_ms: number; readonly count: number }[];
};

export type ApiKey = {
  readonly id: string;
  readonly name: string;
  readonly hint: string;
  readonly rights: readonly string[];
  readonly created_at_ms: number;
  readonly last_used_at_ms: number | null;
  /** It speaks as a bot. */
  readonly bot?: boolean;
};

export type Setting = {
  readonly name: string;
  readonly kind: "switch" | "number";
  readonly value: boolean | number;
  /** It was set by the account; otherwise it is the default. */
  readonly own: boolean;
  readonly default: boolean | number;
  readonly min?: number | null;
  readonly max?: number | null;
  /** Where else it may be set. */
  readonly scopes: readonly ("inbox" | "team")[];
  readonly help: Texts;
};

export type LoginSession = {
  readonly handle: string;
  readonly user_agent: string;
  readonly seen_at_ms: number;
  readonly current: boolean;
};

export type ListCounts = { readonly mine: number; readonly queue: number; readonly open: number; readonly closed: number };
export type ListPage = { readonly rows: readonly RowJson[]; readonly next?: string | null; readonly counts: ListCounts };
export type ListQuery = { readonly view: "mine" | "queue" | "open" | "closed"; readonly cursor?: string; readonly limit: number };

export type ConversationDetails = {
  readonly row: RowJson;
  readonly inbox: string;
  readonly page_url: string;
  readonly referrer: string;
  /** Absent where the caller may not see it. */
  readonly device?: Device;
  readonly contact?: Contact;
  readonly sessions: readonly PastSession[];
  readonly created_at_ms: number;
};

/** What a visitor's browser says of itself; empty where it says nothing known. */
export type Device = { readonly browser: string; readonly system: string; readonly mobile: boolean };

/** The person behind a visitor; fields are empty while nobody knows. */
export type Contact = {
  readonly name: string;
  readonly email: string;
  readonly phone: string;
  readonly note: string;
  /** The site vouched for who it is. */
  readonly verified: boolean;
  readonly attributes: Readonly<Record<string, string>>;
  readonly changed_by_name?: string;
  readonly changed_at_ms?: number;
};

export type ContactChange = Partial<Pick<Contact, "name" | "email" | "phone" | "note">>;

export type PastSession = {
  readonly id: string;
  readonly number: number;
  readonly opened_at_ms: number;
  readonly closed_at_ms: number;
  readonly owner_name: string;
  readonly rating?: number;
  readonly rating_comment: string;
  readonly first_answer_ms?: number;
  readonly close_reason: string;
};

/** The scripted visitors of a demo. */
export type DemoState = { readonly paused: boolean; readonly visitors: number };

export type WaitingSession = {
  readonly conversation: string;
  readonly session: string;
  readonly owner: string | null;
  readonly owner_name: string | null;
  readonly team: string | null;
  readonly place: number | null;
  readonly waiting_since_ms: number | null;
  readonly deadline_ms: number | null;
  readonly then: string;
};

export type Violation = { readonly conversation: string; readonly code: string; readonly detail: string };
export type Waiting = { readonly sessions: readonly WaitingSession[]; readonly violations: readonly Violation[]; readonly at_ms: number };

export type IntentTarget = Schemas["IntentTarget"];
/** What decides without the model: any of the keywords, or the pattern. */
export type IntentRule = { readonly intent: string; readonly keywords: readonly string[]; readonly regex?: string | null };
/** Where sessions of an intent go; with nothing in it nowhere, whatever is said further out. */
export type IntentLead = { readonly team?: string | null; readonly skills: readonly string[]; readonly priority?: "low" | "normal" | "high" | "urgent" | null };
/** What a place says of its own. */
export type IntentSection = {
  readonly threshold: Readonly<Record<string, number>>;
  readonly intents: Readonly<Record<string, IntentLead>>;
  readonly rules: readonly IntentRule[];
};
/** All that an account says of its own: for all its inboxes, and for single ones by their ids. */
export type IntentConfig = IntentSection & { readonly inboxes: Readonly<Record<string, IntentSection>> };
/** Thresholds, targets and rules as they hold in a place. */
export type Sorting = {
  readonly thresholds: Readonly<Record<string, number>>;
  readonly targets: readonly IntentTarget[];
  readonly rules: readonly IntentRule[];
};
/** How visitors' messages are sorted in a place. */
export type Intents = Sorting & {
  /** What would hold if the place said nothing of its own. */
  readonly inherited: Sorting;
  readonly own: IntentConfig;
  /** Of `own`. */
  readonly revision: number;
  /** Why `own` does not hold, in English; absent where it does. */
  readonly void?: string;
  readonly has_model: boolean;
  readonly is_open: boolean;
  /** Of the whole account, since the start of the server. */
  readonly decided: Readonly<Record<string, number>>;
  readonly seen: Readonly<Record<string, readonly number[]>>;
};
/** A past session with what was read of it, what was found, and what a person said. */
export type SortedSession = {
  readonly conversation: string;
  readonly session: string;
  readonly inbox: string;
  readonly at_ms: number;
  readonly messages: readonly { readonly at_ms: number; readonly text: string }[];
  /** Empty where there is none, or where it was taken away. */
  readonly intent: string;
  readonly source: string;
  /** What a rule or the model had said; empty where they had no opinion. */
  readonly found: string;
};
/** A page may have no session, and there are more all the same. */
export type SortedPage = { readonly sessions: readonly SortedSession[]; readonly next?: string | null };
/** What a text would be sorted as, and why. */
export type TriedText = Schemas["TriedText"];

type Method = "GET" | "POST" | "PUT" | "PATCH" | "DELETE";
/** One request; rejects with an ApiError. */
export type Call = <T>(method: Method, path: string, body?: unknown) => Promise<T>;

export class Api {
  readonly articles: ArticlesApi;
  readonly bot: BotApi;
  readonly llm: LlmApi;
  readonly words: WordsApi;

  constructor(private readonly http: HttpRequest) {
    const call: Call = (method, path, body) => this.#call(method, path, body);
    this.articles = new ArticlesApi(call);
    this.bot = new BotApi(call);
    this.llm = new LlmApi(call);
    this.words = new WordsApi(call);
  }

  me = (): Promise<Me> => this.#call("GET", "api/v1/me");
  entryOptions = (): Promise<EntryOptions> => this.#call("GET", "api/v1/setup");
  signIn = (email: string, password: string): Promise<unknown> => this.#call("POST", "api/v1/sign-in", { email, password });
  signInDemo = (email: string): Promise<unknown> => this.#call("POST", "api/v1/sign-in/demo", { email });
  signOut = (): Promise<void> => this.#call("POST", "api/v1/sign-out", {});
  setUp = (body: SetUp): Promise<SetUpDone> => this.#call("POST", "api/v1/setup", body);
  changeMe = (change: { readonly display_name?: string; readonly language?: string; readonly avatar?: string }): Promise<Me> => this.#call("PATCH", "api/v1/me", change);
  changePassword = (current: string, next: string): Promise<void> => this.#call("POST", "api/v1/me/password", { current_password: current, new_password: next });
  loginSessions = async (): Promise<readonly LoginSession[]> => (await this.#call<{ sessions: LoginSession[] }>("GET", "api/v1/me/sessions")).sessions;
  endLoginSession = (handle: string): Promise<void> => this.#call("DELETE", `api/v1/me/sessions/${handle}`);

  conversations(query: ListQuery): Promise<ListPage> {
    const search = new URLSearchParams({ view: query.view, limit: String(query.limit), ...(query.cursor === undefined ? {} : { cursor: query.cursor }) });
    return this.#call("GET", `api/v1/conversations?${search.toString()}`);
  }

  changeContact = (conversation: string, change: ContactChange): Promise<Contact> => this.#call("PATCH", `api/v1/conversations/${conversation}/contact`, change);

  /** One entry by its seq; undefined where the reader may not see it. */
  async entry(conversation: string, seq: number): Promise<TimelineItemJson["entry"]> {
    const page = await this.#call<{ items?: readonly TimelineItemJson[] }>("GET", `api/v1/conversations/${conversation}/entries?before=${seq + 1}&limit=1`);
    return page.items?.find((item) => item.entry?.seq === String(seq))?.entry;
  }

  preferences = (): Promise<SignalChoices> => this.#call("GET", "api/v1/me/preferences");
  changePreferences = (choices: SignalChoices): Promise<SignalChoices> => this.#call("PUT", "api/v1/me/preferences", choices);
  demo = (): Promise<DemoState> => this.#call("GET", "api/v1/demo");
  pauseDemo = (paused: boolean): Promise<unknown> => this.#call("POST", `api/v1/demo/${paused ? "pause" : "resume"}`, {});
  conversation = (id: string): Promise<ConversationDetails> => this.#call("GET", `api/v1/conversations/${id}`);
  waiting = (): Promise<Waiting> => this.#call("GET", "api/v1/waiting");
  agents = async (): Promise<readonly Agent[]> => (await this.#call<{ agents: Agent[] }>("GET", "api/v1/agents")).agents;

  people = async (): Promise<readonly Person[]> => (await this.#call<{ users: Person[] }>("GET", "api/v1/users")).users;
  addPerson = (body: NewPerson): Promise<Person> => this.#call("POST", "api/v1/users", body);
  changePerson = (id: string, change: PersonChange): Promise<Person> => this.#call("PATCH", `api/v1/users/${id}`, change);
  removePerson = (id: string): Promise<void> => this.#call("DELETE", `api/v1/users/${id}`);
  resetPassword = (id: string, password: string): Promise<void> => this.#call("POST", `api/v1/users/${id}/password`, { password });

  roles = (): Promise<Roles> => this.#call("GET", "api/v1/roles");
  addRole = (body: Pick<Role, "names" | "rights">): Promise<Role> => this.#call("POST", "api/v1/roles", body);
  changeRole = (id: string, body: Pick<Role, "names" | "rights">): Promise<Role> => this.#call("PUT", `api/v1/roles/${id}`, body);
  removeRole = (id: string): Promise<void> => this.#call("DELETE", `api/v1/roles/${id}`);

  invitations = async (): Promise<readonly Invitation[]> => (await this.#call<{ invitations: Invitation[] }>("GET", "api/v1/invitations")).invitations;
  invite = (body: NewInvitation): Promise<InvitationMade> => this.#call("POST", "api/v1/invitations", body);
  withdrawInvitation = (id: string): Promise<void> => this.#call("DELETE", `api/v1/invitations/${id}`);
  invitationOffer = (token: string): Promise<InvitationOffer> => this.#call("GET", `api/v1/invitations/by-token/${encodeURIComponent(token)}`);
  acceptInvitation = (token: string, body: { readonly display_name: string; readonly password: string }): Promise<unknown> => this.#call("POST", `api/v1/invitations/by-token/${encodeURIComponent(token)}/accept`, body);

  teams = async (): Promise<readonly Team[]> => (await this.#call<{ teams: Team[] }>("GET", "api/v1/teams")).teams;
  addTeam = (body: Omit<Team, "id">): Promise<Team> => this.#call("POST", "api/v1/teams", body);
  changeTeam = (id: string, change: Partial<Omit<Team, "id">>): Promise<Team> => this.#call("PATCH", `api/v1/teams/${id}`, change);
  removeTeam = (id: string): Promise<void> => this.#call("DELETE", `api/v1/teams/${id}`);

  inboxes = async (): Promise<readonly Inbox[]> => (await this.#call<{ inboxes: Inbox[] }>("GET", "api/v1/inboxes")).inboxes;
  addInbox = (body: Pick<Inbox, "name" | "origins">): Promise<Inbox> => this.#call("POST", "api/v1/inboxes", body);
  changeInbox = (id: string, change: InboxChange): Promise<Inbox> => this.#call("PATCH", `api/v1/inboxes/${id}`, change);
  removeInbox = (id: string): Promise<void> => this.#call("DELETE", `api/v1/inboxes/${id}`);
  rotateInboxKey = (id: string): Promise<Inbox> => this.#call("POST", `api/v1/inboxes/${id}/rotate-key`, {});
  sightings = (id: string): Promise<Sightings> => this.#call("GET", `api/v1/inboxes/${id}/sightings`);
  addIdentitySecret = (id: string): Promise<IdentitySecret & { readonly secret: string }> => this.#call("POST", `api/v1/inboxes/${id}/identity-secrets`, {});
  removeIdentitySecret = (id: string, secret: string): Promise<void> => this.#call("DELETE", `api/v1/inboxes/${id}/identity-secrets/${secret}`);

  /** What holds in an inbox, or everywhere; null where messages are not sorted. */
  intents = async (inbox: string | null = null): Promise<Intents | null> => (await this.#call<{ readonly intents?: Intents | null }>("GET", `api/v1/intents${inbox === null ? "" : `?inbox=${inbox}`}`)).intents ?? null;
  /** Puts all that the account says of its own in the place of what had this revision; answers with what holds everywhere. */
  changeIntents = async (own: IntentConfig, revision: number): Promise<Intents | null> => (await this.#call<{ readonly intents?: Intents | null }>("PUT", "api/v1/intents", { own, revision })).intents ?? null;
  /** Past sessions whose intent a person corrected. */
  correctedSessions(days: number, cursor: string | null = null): Promise<SortedPage> {
    const search = new URLSearchParams({ days: String(days), corrected: "true", ...(cursor === null ? {} : { cursor }) });
    return this.#call("GET", `api/v1/intents/sessions?${search.toString()}`);
  }
  /** For one inbox, or for what holds everywhere; null where messages are not sorted. */
  tryIntent = async (text: string, inbox: string | null): Promise<TriedText | null> => (await this.#call<Schemas["TriedBody"]>("POST", "api/v1/intents/try", { text, ...(inbox === null ? {} : { inbox }) })).tried ?? null;

  replies = async (): Promise<readonly CannedReply[]> => (await this.#call<{ replies: CannedReply[] }>("GET", "api/v1/canned-replies")).replies;
  addReply = (body: Omit<CannedReply, "id">): Promise<CannedReply> => this.#call("POST", "api/v1/canned-replies", body);
  changeReply = (id: string, body: Omit<CannedReply, "id">): Promise<CannedReply> => this.#call("PUT", `api/v1/canned-replies/${id}`, body);
  removeReply = (id: string): Promise<void> => this.#call("DELETE", `api/v1/canned-replies/${id}`);

  keys = async (): Promise<readonly ApiKey[]> => (await this.#call<{ api_keys: ApiKey[] }>("GET", "api/v1/api-keys")).api_keys;
  addKey = (body: Pick<ApiKey, "name" | "rights" | "bot">): Promise<ApiKey & { readonly key: string }> => this.#call("POST", "api/v1/api-keys", body);
  removeKey = (id: string): Promise<void> => this.#call("DELETE", `api/v1/api-keys/${id}`);

  /** What holds for the account, or for one inbox of it. */
  settings = async (inbox: string | null = null): Promise<readonly Setting[]> => (await this.#call<{ settings: Setting[] }>("GET", `api/v1/settings${inbox === null ? "" : `?inbox=${inbox}`}`)).settings;
  /** Null goes back to what holds further out: the account's value, or the default. */
  changeSetting = (name: string, value: boolean | number | null, inbox: string | null = null): Promise<unknown> => this.#call("PUT", `api/v1/settings/${name}${inbox === null ? "" : `?inbox=${inbox}`}`, { value });


  async #call<T>(method: Method, path: string, body?: unknown): Promise<T> {
    let answer: HttpAnswer;
    try {
      answer = await this.http(method, path, body === undefined ? {} : { body });
    } catch {
      throw ApiError.lost();
    }
    if (answer.status < 200 || answer.status > 299) throw ApiError.from(answer);
    return answer.body as T;
  }
}
