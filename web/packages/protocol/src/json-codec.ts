// The subprotocol "frontdesk.v1.json": text messages in protobuf's JSON mapping. Needs nothing but
// JSON, so the widget stays small.
import type { ClientFrame, Codec, ServerFrame } from "./frames";
import { MalformedFrame } from "./frames";

export const jsonCodec: Codec = {
  subprotocol: "frontdesk.v1.json",

  encode(frame: ClientFrame): string {
    return JSON.stringify(frame);
  },

  decode(data: unknown): ServerFrame {
    if (typeof data !== "string") throw new MalformedFrame("a binary message on the JSON subprotocol");
    let value: unknown;
    try {
      value = JSON.parse(data);
    } catch {
      throw new MalformedFrame("not JSON");
    }
    if (typeof value !== "object" || value === null || Array.isArray(value)) {
      throw new MalformedFrame("not a JSON object");
    }
    return value;
  },
};
