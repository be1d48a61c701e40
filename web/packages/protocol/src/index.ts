// The wire of Frontdesk for TypeScript: types generated from ../../../proto and the JSON codec.
// The protobuf codec is a separate entry ("@frontdesk/protocol/proto"), so that it costs its bytes
// only where it is used.
export { toBase64 } from "./base64";
export type { ClientFrame, ClientFrameKind, Codec, ServerFrame, ServerFrameKind } from "./frames";
export { MalformedFrame } from "./frames";
export { jsonCodec } from "./json-codec";
export type * from "./gen/chat/v1/session_pb";
export type {
  AckJson,
  CommandJson,
  CursorUpdateJson,
  DraftUpdateJson,
  EntriesJson,
  FeedChangeJson,
  FeedChangesJson,
  FeedPositionJson,
  GoAwayJson,
  HeldJson,
  HelloJson,
  LimitsJson,
  OpenedJson as OpenedFrameJson,
  PositionJson,
  PresenceJson,
  PresenceUpdateJson,
  QueuePlaceJson,
  RefusalJson,
  RowJson,
  SendJson,
  SessionUpdateJson,
  WelcomeJson,
} from "./gen/wire/v1/frame_pb";
