import { jsonCodec } from "@frontdesk/protocol";
import type { ServerFrame, WelcomeJson } from "@frontdesk/protocol";
import { beforeEach, describe, expect, it } from "vitest";
import { FakeBrowser, FakeClock, FakeServer } from "../testing";
import { Connection, Refused, TicketRefused } from "./connection";
import { requestTicket } from "./tickets";

let clock: FakeClock;
let server: FakeServer;
let tab: ReturnType<FakeBrowser["tab"]>;
let welcomes: WelcomeJson[];
let received: ServerFrame[];
let connection: Connection;

beforeEach(() => {
  clock = new FakeClock();
  server = new FakeServer(clock);
  tab = new FakeBrowser(clock, server).tab();
  welcomes = [];
  received = [];
  connection = new Connection({
    platform: tab,
    codec: jsonCodec,
    client: "test/1",
    language: () => "en",
    user: {
      ticket: () => requestTicket(tab, { kind: "visitor", visitor_token: "v1.me" }),
      held: () => [{ position: { epoch: server.epoch, seq: "0" } }],
      welcomed: (welcome) => void welcomes.push(welcome),
      received: (frame) => void received.push(frame),
      lost: () => undefined,
    },
  });
});

async function live(): Promise<void> {
  connection.start();
  await clock.settle();
  expect(connection.state.value.kind).toBe("live");
}

describe("connection", () => {
  it("gets a ticket, says hello and is live", async () => {
    await live();
    expect(server.current.frames[0]).toEqual({
      ref: 1,
      hello: { ticket: "t1.1", held: [{ position: { epoch: server.epoch, seq: "0" } }], client: "test/1", language: "en", canRejoin: true },
    });
    expect(welcomes).toHaveLength(1);
  });

  it("opens its sockets at the node of its ticket", async () => {
    server.node = 2;
    await live();
    server.current.close(1006);
    await clock.advance(600);
    // Its token alone would not say where it is served.
    expect(server.connections.map(({ node }) => node)).toEqual([2, 2]);
    server.node = undefined;
    connection.restart();
    await clock.settle();
    expect(server.current.node).toBeUndefined();
  });

  it("resumes without HTTP after a drop, and with a new ticket after a restart", async () => {
    await live();
    server.current.close(1006);
    await clock.advance(600);
    expect(connection.state.value.kind).toBe("live");
    expect(server.ticketRequests).toHaveLength(1);
    expect(server.current.frames[0]?.hello?.resumeToken).toBe("r2");

    await clock.advance(15_000);
    server.restart();
    await clock.advance(600);
    expect(connection.state.value.kind).toBe("live");
    expect(server.ticketRequests).toHaveLength(2);
  });

  it("says hello again on the same connection, at the time it is asked for", async () => {
    await live();
    server.current.rejoining = true;
    const unanswered = connection.request({ open: {} }).catch((error: unknown) => error);
    server.current.rejoin(400);
    expect(await unanswered).toEqual(new Refused("connection.lost"));
    expect(connection.live).toBe(false);
    expect(connection.push({ ping: {} })).toBe(false);
    await clock.advance(399);
    expect(server.current.frames.filter((frame) => frame.hello)).toHaveLength(1);
    await clock.advance(1);
    expect(connection.state.value.kind).toBe("live");
    expect(server.current.frames.at(-1)?.hello?.resumeToken).toBe("r2");
    expect([server.connections.length, server.ticketRequests.length]).toEqual([1, 1]);
    // As good as any other: it is watched as before.
    server.current.blackholed = true;
    await clock.advance(40_000);
    expect(server.connections.length).toBeGreaterThan(1);
  });

  it("is asked again where nobody was there yet, and connects anew where no welcome comes", async () => {
    await live();
    server.isUnowned = true;
    server.current.rejoin(0);
    await clock.advance(1_100);
    expect(connection.state.value.kind).toBe("live");
    expect(server.current.frames.filter((frame) => frame.hello)).toHaveLength(3);
    expect(server.connections).toHaveLength(1);
    server.current.rejoin(0);
    server.current.blackholed = true;
    await clock.advance(11_000);
    expect([connection.state.value.kind, server.connections.length]).toEqual(["live", 2]);
  });

  it("connects anew where it has no token yet to rejoin with", async () => {
    server.isUnowned = true;
    connection.start();
    await clock.advance(2_000);
    expect(connection.state.value.kind).toBe("live");
    expect([server.connections.length, server.ticketRequests.length]).toEqual([2, 2]);
  });

  it("backs off with full jitter while nobody answers and comes back within the cap", async () => {
    await live();
    server.down = true;
    server.restart();
    for (let step = 0; step < 300; step++) {
      await clock.advance(1_000);
      const state = connection.state.value;
      if (state.kind === "backoff") expect(state.retryAtMs - clock.now()).toBeLessThanOrEqual(30_000);
    }
    const attempts = server.ticketRequests.length + server.connections.length;
    expect(attempts).toBeLessThan(40);
    server.down = false;
    await clock.advance(30_000);
    expect(connection.state.value.kind).toBe("live");
  });

  it.each([
    [3000, "live"],
    [3008, "live"],
    [3400, "live"],
    [3499, "live"],
    [3500, "stopped"],
    [3999, "stopped"],
    [1009, "stopped"],
  ])("does what the range of close code %i says", async (code, kind) => {
    await live();
    server.current.close(code);
    await clock.advance(1_000);
    expect(connection.state.value.kind).toBe(kind);
    expect(server.ticketRequests).toHaveLength(code >= 3400 && code < 3500 ? 2 : 1);
  });

  it("waits as long as an overloaded server and a leaving one ask for", async () => {
    await live();
    server.current.close(3011);
    await clock.advance(4_900);
    expect(connection.state.value.kind).toBe("backoff");
    await clock.advance(700);
    expect(connection.state.value.kind).toBe("live");

    server.current.push({ goAway: { reconnectAfterMs: 8_000 } });
    server.current.close(3000);
    await clock.advance(7_900);
    expect(connection.state.value.kind).toBe("backoff");
    await clock.advance(1_200);
    expect(connection.state.value.kind).toBe("live");
  });

  it("asks after 25 s of silence and gives up a dead connection by 35 s", async () => {
    await live();
    const dead = server.current;
    dead.blackholed = true;
    await clock.advance(34_000);
    expect(connection.state.value.kind).toBe("live");
    await clock.advance(3_500);
    expect(server.current).not.toBe(dead);
    expect(connection.state.value.kind).toBe("live");
  });

  it("keeps a quiet but living connection for ever, answers pings and checks positions", async () => {
    await live();
    server.current.push({ ping: {} });
    await clock.advance(200_000);
    expect(server.connections).toHaveLength(1);
    const kinds = server.current.frames.flatMap((frame) => Object.keys(frame).filter((key) => key !== "ref"));
    expect(kinds.filter((kind) => kind === "pong")).toHaveLength(1);
    expect(kinds.filter((kind) => kind === "sync")).toHaveLength(5);
    expect(kinds).toContain("ping");
  });

  it("notices at once after the machine slept, and tries at once when the network is back", async () => {
    await live();
    server.current.blackholed = true;
    clock.sleep(3_600_000);
    tab.wakeUp();
    await clock.advance(600);
    expect(server.connections).toHaveLength(2);
    expect(connection.state.value.kind).toBe("live");

    server.down = true;
    server.restart();
    await clock.advance(60_000);
    server.down = false;
    tab.wakeUp();
    await clock.settle();
    expect(["live", "connecting", "hello"]).toContain(connection.state.value.kind);
  });

  it("treats a server that never says welcome as not there", async () => {
    await live();
    server.restart();
    const accept = server.accept.bind(server);
    server.accept = (subprotocol) => {
      const socket = accept(subprotocol);
      server.current.blackholed = true;
      return socket;
    };
    await clock.advance(11_000);
    expect(server.connections.length).toBeGreaterThan(1);
    server.accept = accept;
    await clock.advance(30_000);
    expect(connection.state.value.kind).toBe("live");
  });

  it("stops where the ticket is refused for good, waits where it is refused for now", async () => {
    server.nextTicketAnswer = { status: 429, body: { code: "rate_limited" }, retryAfterMs: 7_000 };
    connection.start();
    await clock.advance(6_900);
    expect(connection.state.value.kind).toBe("backoff");
    await clock.advance(700);
    expect(connection.state.value.kind).toBe("live");
    connection.stop();
    server.nextTicketAnswer = { status: 403, body: { code: "origin.refused" }, retryAfterMs: undefined };
    connection.start();
    await clock.advance(60_000);
    expect(connection.state.value).toEqual({ kind: "stopped", code: "origin.refused" });
    expect(new TicketRefused("x", true, undefined).message).toBe("no ticket: x");
  });

  it("answers requests, and rejects them when refused, silent or cut off", async () => {
    await live();
    await expect(connection.request({ command: { take: {} } })).resolves.toHaveProperty("done");
    const refused = connection.request({ command: { take: {} } }).catch((error: unknown) => error);
    server.current.push({ ref: 3, refusal: { code: "session.taken", detail: "Lin" } });
    // The server answered "done" already; a second answer to the same ref is nobody's.
    expect(await refused).toHaveProperty("done");
    expect(received).toContainEqual({ ref: 3, refusal: { code: "session.taken", detail: "Lin" } });

    server.current.blackholed = true;
    const silent = connection.request({ command: { take: {} } }).catch((error: unknown) => error);
    await clock.advance(15_000);
    expect(await silent).toEqual(new Refused("timeout"));
    const cut = connection.request({ command: { take: {} } }).catch((error: unknown) => error);
    server.current.close(1006);
    expect(await cut).toEqual(new Refused("connection.lost"));
  });
});
