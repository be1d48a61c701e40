// client_msg_id: 16 bytes that rise with time, so that the server tells a new message from a repeat by one comparison:
// 6 bytes of milliseconds, 2 of a counter, 8 random.
import type { Platform } from "./platform.js";

export class MessageIds {
  private lastMs = 0;
  private counter = 0;

  constructor(private readonly platform: Pick<Platform, "clock" | "randomBytes">) {}

  /** The next id in base64, as frames carry it. */
  next(): string {
    const now = this.platform.clock.now();
    // A clock set back must not make ids fall.
    if (now > this.lastMs) {
      this.lastMs = now;
      this.counter = 0;
    } else if (++this.counter > 0xffff) {
      this.lastMs += 1;
      this.counter = 0;
    }
    const bytes = new Uint8Array(16);
    let rest = this.lastMs;
    for (let at = 5; at >= 0; at--) {
      bytes[at] = rest % 256;
      rest = Math.floor(rest / 256);
    }
    bytes[6] = this.counter >> 8;
    bytes[7] = this.counter & 0xff;
    bytes.set(this.platform.randomBytes(8), 8);
    return btoa(String.fromCharCode(...bytes));
  }
}
