// The frames in the shape both codecs give and take: protobuf's JSON mapping. 64-bit numbers are
// decimal strings, bytes are base64, enums are their names, absent fields have their default.
import type { ClientFrameJson, ServerFrameJson } from "./gen/wire/v1/frame_pb";

type FrameFields<F> = Omit<F, "ref">;

/** One frame from the client: exactly one field beside `ref`. */
export type ClientFrame = ClientFrameJson;
/** One frame from the server: exactly one field beside `ref`. */
export type ServerFrame = ServerFrameJson;

export type ClientFrameKind = keyof FrameFields<ClientFrame>;
export type ServerFrameKind = keyof FrameFields<ServerFrame>;

/** Turns frames into what a WebSocket carries and back, for one subprotocol. */
export interface Codec {
  readonly subprotocol: string;
  encode(frame: ClientFrame): string | Uint8Array<ArrayBuffer>;
  /** Throws MalformedFrame for anything that is no frame of this subprotocol. */
  decode(data: unknown): ServerFrame;
}

/** What arrived is no frame of the subprotocol. */
export class MalformedFrame extends Error {
  override readonly name = "MalformedFrame";
}
