import type { Channel, Clock, HttpAnswer, KeyValueStore, Platform, Socket } from "../src/platform";
import type { FakeServer } from "./server";

type OpenChannel = { readonly name: string; readonly owner: object; readonly channel: Channel };

/** One browser: its tabs share storage, channels and locks. */
export class FakeBrowser {
  readonly stored = new Map<string, string>();
  private readonly channels: OpenChannel[] = [];
  private readonly locks = new Map<string, Promise<unknown>>();
  private random = 7;

  constructor(
    private readonly clock: Clock,
    private readonly server: FakeServer,
  ) {}

  tab(): Platform & { wakeUp(): void } {
    const wakes = new Set<() => void>();
    const owner = {};
    const storage: KeyValueStore = {
      get: (key) => this.stored.get(key),
      set: (key, value) => void this.stored.set(key, value),
      remove: (key) => void this.stored.delete(key),
      keys: (prefix) => [...this.stored.keys()].filter((key) => key.startsWith(prefix)),
    };
    return {
      clock: this.clock,
      random: { bytes: (length) => Uint8Array.from({ length }, () => Math.floor(this.unit() * 256)), unit: () => this.unit() },
      storage,
      http: (method, path, options): Promise<HttpAnswer> => this.server.http(method, path, options?.body),
      openSocket: (subprotocol, node): Socket => this.server.accept(subprotocol, node),
      openChannel: (name): Channel => this.openChannel(owner, name),
      withLock: (name, work) => this.withLock(name, work),
      onWake: (wake) => {
        wakes.add(wake);
        return () => void wakes.delete(wake);
      },
      wakeUp: () => {
        for (const wake of wakes) wake();
      },
    };
  }

  private unit(): number {
    this.random = (this.random * 16_807) % 2_147_483_647;
    return this.random / 2_147_483_647;
  }

  private openChannel(owner: object, name: string): Channel {
    const channel: Channel = {
      post: (message) => {
        const text = JSON.stringify(message);
        for (const other of this.channels) {
          if (other.name === name && other.owner !== owner) void Promise.resolve().then(() => other.channel.onMessage(JSON.parse(text)));
        }
      },
      onMessage: () => undefined,
      close: () => undefined,
    };
    this.channels.push({ name, owner, channel });
    return channel;
  }

  private async withLock<T>(name: string, work: () => Promise<T>): Promise<T> {
    const before = this.locks.get(name) ?? Promise.resolve();
    const run = before.then(work, work);
    this.locks.set(name, run);
    return run;
  }
}
