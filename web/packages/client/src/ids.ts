// client_msg_id: 16 bytes that rise with time, so that the server tells a new message from a
// repeat by one comparison: 6 bytes of milliseconds, 2 of a counter, 8 random.
import { toBase64 } from "@frontdesk/protocol";
import type { Clock, Random } from "./platform";

export class MessageIds {
  private lastMs = 0;
  private counter = 0;

  constructor(
    private readonly clock: Clock,
    private readonly random: Random,
  ) {}

  /** The next id in base64, as frames carry it. */
  next(): string {
    const now = this.clock.now();
    // A clock set back must not make ids fall.
    if (now > this.lastMs) {
      this.lastMs = now;
      this.counter = 0;
    } else {
      this.counter += 1;
      if (this.counter > 0xffff) {
        this.lastMs += 1;
        this.counter = 0;
      }
    }
    const bytes = new Uint8Array(16);
    let rest = this.lastMs;
    for (let at = 5; at >= 0; at--) {
      bytes[at] = rest % 256;
      rest = Math.floor(rest / 256);
    }
    bytes[6] = this.counter >> 8;
    bytes[7] = this.counter & 0xff;
    bytes.set(this.random.bytes(8), 8);
    return toBase64(bytes);
  }
}
