import type { ActorJson, ClientFrame, EntryJson, HeldJson, OpenedFrameJson, PresenceJson, RowJson, SendJson, ServerFrame, TimelineItemJson } from "@frontdesk/protocol";
import type { Clock, HttpAnswer, Socket } from "../src/platform";

const EPOCH = "9007199254740993";
const PAGE = 50;

type Room = { readonly id: string; readonly items: TimelineItemJson[]; readonly places: Map<string, number> };

type Identity = { readonly actor: ActorJson; readonly room: string | undefined };

export class FakeConnection {
  /** Frames the client sent, oldest first. */
  readonly frames: ClientFrame[] = [];
  readonly rooms = new Set<string>();
  identity: Identity | undefined;
  closed = false;
  /** Asked to say hello again: nothing else is read before. */
  rejoining = false;
  /** The network swallows everything, both ways, and tells nobody. */
  blackholed = false;

  constructor(
    readonly socket: Socket,
    /** Where the client asked to be led. */
    readonly node: number | undefined,
  ) {}

  /** Sends a frame to the client. */
  push(frame: ServerFrame): void {
    if (!this.closed && !this.blackholed) this.socket.onMessage(JSON.stringify(frame));
  }

  /** Somebody else serves the client from now on. */
  rejoin(afterMs: number): void {
    this.identity = undefined;
    this.rejoining = true;
    this.rooms.clear();
    this.push({ rejoin: { afterMs } });
  }

  close(code: number): void {
    if (this.closed) return;
    this.closed = true;
    this.socket.onClose(code);
  }
}

/** Speaks frontdesk.v1.json. Everything it keeps is public: tests look. */
export class FakeServer {
  readonly connections: FakeConnection[] = [];
  readonly rooms = new Map<string, Room>();
  readonly ticketRequests: Record<string, unknown>[] = [];
  epoch = EPOCH;
  /** Refuses HTTP as if it were not there. */
  down = false;
  /** What the list of conversations answers, and how often it was asked. */
  list: RowJson[] = [];
  listReads = 0;
  /** What an agent has chosen. */
  presence: PresenceJson = "PRESENCE_ONLINE";
  /** Agents look at what a visitor has not sent yet. */
  drafts = false;
  /** The feed position presented can be gone on from. */
  recoversFeed = false;
  /** Runs while a list request is on its way. */
  onList: (() => void) | undefined;
  /** What the next ticket request gets instead of a ticket. */
  nextTicketAnswer: HttpAnswer | undefined;
  /** Where tickets lead from now on. */
  node: number | undefined;
  /** Nobody is there yet to serve whoever says hello next. */
  isUnowned = false;
  /** Takes messages in but keeps their acks back, as a server killed in between does. */
  losesAcks = false;
  /** Conversations whose storage is away. */
  readonly unreadable = new Set<string>();
  /** Refuses the next message with this. */
  nextRefusal: { code: string; retryAfterMs?: number } | undefined;
  /** Sessions that stand further than a command expects: each is told, and the command refused. */
  readonly movedOn: NonNullable<RowJson["session"]>[] = [];
  private readonly tickets = new Map<string, Identity>();
  private readonly resumes = new Map<string, Identity>();
  private counter = 0;

  constructor(private readonly clock: Clock) {}

  get current(): FakeConnection {
    const last = this.connections[this.connections.length - 1];
    if (!last) throw new Error("nobody connected");
    return last;
  }

  /** The texts a conversation holds, in order. */
  texts(room: string): string[] {
    return this.room(room).items.map((item) => item.entry?.content?.text?.body ?? "");
  }

  /** Forgets resume tokens and cuts everybody off, as a restart does. */
  restart(code = 1006): void {
    this.resumes.clear();
    for (const connection of this.connections) connection.close(code);
  }

  /** Somebody else (an agent, the system) adds an entry. */
  say(room: string, entry: Partial<EntryJson>, options: { readonly deliver?: boolean } = {}): number {
    const seq = this.room(room).items.length + 1;
    const item: TimelineItemJson = {
      entry: {
        seq: String(seq),
        id: `e${seq}`,
        actor: { kind: "ACTOR_KIND_AGENT", id: "agent1", name: "Lin" },
        audience: "AUDIENCE_EVERYONE",
        atMs: String(this.clock.now()),
        ...entry,
      },
    };
    this.room(room).items.push(item);
    if (options.deliver ?? true) this.deliver(room, [item]);
    return seq;
  }

  deliver(room: string, items: readonly TimelineItemJson[]): void {
    for (const connection of this.connections) {
      if (connection.rooms.has(room)) connection.push({ entries: { ...named(connection, room), epoch: this.epoch, items: [...items] } });
    }
  }

  http(method: string, path: string, body: unknown): Promise<HttpAnswer> {
    if (this.down) return Promise.reject(new Error("unreachable"));
    const answer = this.nextTicketAnswer;
    this.nextTicketAnswer = undefined;
    if (path === "api/v1/tickets" && method === "POST") {
      const request = body as Record<string, unknown>;
      this.ticketRequests.push(request);
      return Promise.resolve(answer ?? this.ticket(request));
    }
    if (path.startsWith("api/v1/conversations?view=open")) {
      this.listReads += 1;
      const rows = [...this.list];
      this.onList?.();
      return Promise.resolve({ status: 200, body: { rows }, retryAfterMs: undefined });
    }
    const older = /^api\/v1\/conversations\/([^/]+)\/entries\?before=(\d+)/.exec(path);
    if (older) return Promise.resolve(this.page(older[1] ?? "", Number(older[2])));
    return Promise.resolve({ status: 404, body: { code: "not_found" }, retryAfterMs: undefined });
  }

  accept(subprotocol: string, node?: number): Socket {
    if (subprotocol !== "frontdesk.v1.json") throw new Error(`unknown subprotocol ${subprotocol}`);
    const socket: Socket = {
      onOpen: () => undefined,
      onMessage: () => undefined,
      onClose: () => undefined,
      send: (data) => {
        if (connection.closed || connection.blackholed) return;
        const frame = JSON.parse(data as string) as ClientFrame;
        connection.frames.push(frame);
        this.received(connection, frame);
      },
      close: () => {
        connection.closed = true;
      },
    };
    const connection = new FakeConnection(socket, node);
    this.connections.push(connection);
    void Promise.resolve().then(() => {
      if (this.down) connection.close(1006);
      else socket.onOpen();
    });
    return socket;
  }

  room(id: string): Room {
    const known = this.rooms.get(id);
    if (known) return known;
    const room: Room = { id, items: [], places: new Map() };
    this.rooms.set(id, room);
    return room;
  }

  private ticket(request: Record<string, unknown>): HttpAnswer {
    this.counter += 1;
    const ticket = `t1.${this.counter}`;
    if (request.kind === "agent") {
      this.tickets.set(ticket, { actor: { kind: "ACTOR_KIND_AGENT", id: "agent1", name: "Lin" }, room: undefined });
      return { status: 200, body: { ticket, node: this.node }, retryAfterMs: undefined };
    }
    const token = typeof request.visitor_token === "string" ? request.visitor_token : `v1.${this.counter}`;
    this.tickets.set(ticket, { actor: { kind: "ACTOR_KIND_VISITOR", id: `visitor-${token}` }, room: `room-${token}` });
    return {
      status: 200,
      body: { ticket, node: this.node, visitor_token: token, conversation_id: `room-${token}`, inbox: { name: "Shop" } },
      retryAfterMs: undefined,
    };
  }

  private page(room: string, before: number): HttpAnswer {
    const older = this.room(room).items.slice(0, before - 1);
    const items = older.slice(-PAGE);
    return { status: 200, body: { items, more_before: older.length > items.length }, retryAfterMs: undefined };
  }

  private received(connection: FakeConnection, frame: ClientFrame): void {
    const ref = frame.ref ?? 0;
    if (frame.hello) this.hello(connection, frame);
    else if (connection.rejoining) return;
    else if (!connection.identity) connection.close(3400);
    else if (frame.send) this.sent(connection, frame.send);
    else if (frame.open) {
      const id = frame.open.conversation ?? "";
      if (this.unreadable.has(id)) {
        connection.push({ ref, refusal: { code: "storage.unavailable", retryAfterMs: 1_000, conversation: id } });
        return;
      }
      connection.rooms.add(id);
      connection.push({ ref, opened: this.opened(id, frame.open, id) });
    } else if (frame.leave) connection.rooms.delete(frame.leave.conversation ?? "");
    else if (frame.sync) {
      for (const held of frame.sync.held ?? []) {
        const room = held.conversation || (connection.identity.room ?? "");
        const missing = this.room(room).items.slice(Number(held.position?.seq ?? 0));
        if (missing.length > 0) connection.push({ ref, entries: { ...named(connection, room), epoch: this.epoch, items: missing } });
      }
      connection.push({ ref, done: {} });
    } else if (frame.ping) connection.push({ pong: {} });
    else if (frame.command && this.movedOn[0]) {
      connection.push({ session: { conversation: frame.command.conversation ?? "", session: this.movedOn[0] } });
      this.movedOn.shift();
      connection.push({ ref, refusal: { code: "session.version" } });
    } else if (ref > 0) connection.push({ ref, done: {} });
  }

  private hello(connection: FakeConnection, frame: ClientFrame): void {
    const hello = frame.hello ?? {};
    const identity = hello.ticket ? this.tickets.get(hello.ticket) : this.resumes.get(hello.resumeToken ?? "");
    if (hello.ticket) this.tickets.delete(hello.ticket);
    if (!identity) {
      connection.close(3400);
      return;
    }
    if (this.isUnowned) {
      this.isUnowned = false;
      connection.rejoin(1_000);
      return;
    }
    connection.identity = identity;
    connection.rejoining = false;
    this.counter += 1;
    const resumeToken = `r${this.counter}`;
    this.resumes.set(resumeToken, identity);
    const held: HeldJson[] = identity.room === undefined ? (hello.held ?? []) : [(hello.held ?? [])[0] ?? {}];
    const opened = held.map((one) => {
      const room = identity.room ?? one.conversation ?? "";
      connection.rooms.add(room);
      return this.opened(room, one, identity.room === undefined ? room : "");
    });
    const visitor = identity.room !== undefined;
    connection.push({
      ref: frame.ref ?? 0,
      welcome: {
        self: identity.actor,
        resumeToken,
        epoch: this.epoch,
        serverTimeMs: String(this.clock.now()),
        // An agent's conversations follow the welcome, each in a frame of its own.
        opened: visitor ? opened : [],
        feed: { epoch: this.epoch, number: "0" },
        feedRecovered: this.recoversFeed && hello.feed !== undefined,
        presence: this.presence,
        limits: { inFlightMax: 64, textBytesMax: 65_536 },
        attended: true,
        drafts: this.drafts,
      },
    });
    if (!visitor) for (const one of opened) connection.push({ opened: one });
  }

  private opened(room: string, held: HeldJson, name: string): OpenedFrameJson {
    const all = this.room(room).items;
    const recovered = held.position?.epoch === this.epoch;
    const items = recovered ? all.slice(Number(held.position?.seq ?? 0)) : all.slice(-PAGE);
    return {
      ...(name === "" ? {} : { conversation: name }),
      recovered,
      items,
      position: { epoch: this.epoch, seq: String(all.length) },
      moreBefore: !recovered && all.length > items.length,
    };
  }

  private sent(connection: FakeConnection, send: SendJson): void {
    const room = this.room(connection.identity?.room ?? send.conversation ?? "");
    const id = send.clientMsgId ?? "";
    if (this.nextRefusal) {
      const refusal = this.nextRefusal;
      this.nextRefusal = undefined;
      connection.push({ refusal: { ...refusal, clientMsgId: id } });
      return;
    }
    let seq = room.places.get(id);
    if (seq === undefined) {
      seq = room.items.length + 1;
      room.places.set(id, seq);
      const item: TimelineItemJson = { entry: this.entry(connection, send, seq) };
      room.items.push(item);
      if (!this.losesAcks) this.ack(connection, id, seq);
      for (const other of this.connections) {
        if (!this.losesAcks && other.rooms.has(room.id)) other.push({ entries: { ...named(other, room.id), epoch: this.epoch, items: [item] } });
      }
      return;
    }
    if (!this.losesAcks) this.ack(connection, id, seq);
  }

  private entry(connection: FakeConnection, send: SendJson, seq: number): EntryJson {
    return {
      seq: String(seq),
      id: `e${seq}`,
      actor: connection.identity?.actor ?? {},
      audience: send.audience ?? "AUDIENCE_EVERYONE",
      atMs: String(this.clock.now()),
      content: send.content ?? {},
      clientMsgId: send.clientMsgId ?? "",
    };
  }

  private ack(connection: FakeConnection, clientMsgId: string, seq: number): void {
    connection.push({ ack: { clientMsgId, position: { epoch: this.epoch, seq: String(seq) }, atMs: String(this.clock.now()), id: `e${seq}` } });
  }
}

function named(connection: FakeConnection, room: string): { conversation?: string } {
  return connection.identity?.room === undefined ? { conversation: room } : {};
}
