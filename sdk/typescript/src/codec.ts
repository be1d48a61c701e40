// Frames as text of the subprotocol "frontdesk.v1.json". Reading is generous, as protobuf's JSON mapping asks: names as in the
// proto file, 64-bit integers as numbers, base64 for URLs, enum values as numbers, null for absent. Writing is
// canonical. Both go by the table of fields in wire.ts, so that what a frame holds has one form in memory.
import { FrontdeskError } from "./errors.js";
import type { ClientFrame, ServerFrame } from "./wire.js";
import { ENUMS, MESSAGES } from "./wire.js";

/** The encoding, as a WebSocket offers it. */
export const SUBPROTOCOL = "frontdesk.v1.json";

/** A frame that cannot be read. `code`: frame.malformed or frame.unknown. */
export class MalformedFrame extends FrontdeskError {
  override readonly name = "MalformedFrame";
}

type Reading = {
  /** A value this reader has never heard of is passed over instead of refused: a newer server may say it. */
  readonly newer: boolean;
};

/** Reads a frame of the server. A kind this SDK does not know gives a frame without any. */
export function decodeServer(text: unknown): ServerFrame {
  return decode(text, "ServerFrame", { newer: true }) as ServerFrame;
}

/** Reads a frame of a client as the server does: for tests and for those who play the server. */
export function decodeClient(text: unknown): ClientFrame {
  const frame = decode(text, "ClientFrame", { newer: false });
  if (!Object.keys(frame).some((name) => name !== "ref")) throw new MalformedFrame("frame.unknown", "no kind that is known");
  return frame as ClientFrame;
}

/** Writes a frame of a client. */
export function encodeClient(frame: ClientFrame): string {
  return JSON.stringify(message(frame, "ClientFrame", { newer: false }));
}

/** Writes a frame of the server: for tests and for those who play the server. */
export function encodeServer(frame: ServerFrame): string {
  return JSON.stringify(message(frame, "ServerFrame", { newer: false }));
}

function decode(text: unknown, type: string, reading: Reading): Record<string, unknown> {
  if (typeof text !== "string") throw new MalformedFrame("frame.malformed", "not text");
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new MalformedFrame("frame.malformed", "not JSON");
  }
  return message(value, type, reading);
}

function message(value: unknown, type: string, reading: Reading): Record<string, unknown> {
  if (typeof value !== "object" || value === null || Array.isArray(value)) throw wrong(type, value);
  const found = value as Record<string, unknown>;
  const out: Record<string, unknown> = {};
  const chosen = new Set<string>();
  for (const [name, proto, kind, stands] of MESSAGES[type] ?? []) {
    const one = found[name] ?? found[proto];
    if (one === undefined || one === null) continue;
    if (stands === "repeated") {
      if (!Array.isArray(one)) throw wrong(name, one);
      const list = one.map((each) => scalar(each, name, kind, reading)).filter((each) => each !== undefined);
      if (list.length > 0) out[name] = list;
      continue;
    }
    const read = scalar(one, name, kind, reading);
    if (read === undefined) continue;
    const oneof = stands !== "plain" && stands !== "optional";
    if (oneof) {
      if (chosen.has(stands)) throw new MalformedFrame("frame.malformed", `${type} has two of ${stands}`);
      chosen.add(stands);
    }
    if (oneof || stands === "optional" || kind in MESSAGES || !isZero(read, kind)) out[name] = read;
  }
  return out;
}

function isZero(value: unknown, kind: string): boolean {
  if (kind === "map") return Object.keys(value as object).length === 0;
  if (kind in ENUMS) return value === ENUMS[kind]?.[0];
  return value === "" || value === 0 || value === false || value === "0";
}

function scalar(value: unknown, name: string, kind: string, reading: Reading): unknown {
  if (kind in MESSAGES) return message(value, kind, reading);
  const values = ENUMS[kind];
  if (values !== undefined) {
    const found = typeof value === "number" ? values[value] : values.find((each) => each === value);
    if (found === undefined && !reading.newer) throw wrong(name, value);
    return found;
  }
  switch (kind) {
    case "string":
      if (typeof value === "string") return wellFormed(value);
      break;
    case "bool":
      if (typeof value === "boolean") return value;
      break;
    case "float":
      if (Number.isFinite(Number(value)) && value !== "") return Number(value);
      break;
    case "uint32": {
      const number = typeof value === "string" && value !== "" ? Number(value) : value;
      if (typeof number === "number" && Number.isInteger(number) && number >= 0 && number <= 0xffffffff) return number;
      break;
    }
    case "uint64":
    case "fixed64":
    case "int64":
      return integer(value, name, kind === "int64");
    case "bytes":
      return base64(value, name);
    case "map": {
      if (typeof value !== "object" || Array.isArray(value)) break;
      const entries = Object.entries(value as object);
      if (entries.every(([, each]) => typeof each === "string")) return Object.fromEntries(entries) as unknown;
      break;
    }
  }
  throw wrong(name, value);
}

/** Half of a surrogate pair, as a text cut in the middle of a character ends with, is no character: no server takes it. */
function wellFormed(text: string): string {
  return text.replace(/\p{Surrogate}/gu, "\ufffd");
}

function integer(value: unknown, name: string, signed: boolean): string {
  const text = typeof value === "number" && Number.isSafeInteger(value) ? String(value) : value;
  if (typeof text !== "string" || !/^-?\d{1,20}$/.test(text)) throw wrong(name, value);
  const number = BigInt(text);
  const fits = signed ? BigInt.asIntN(64, number) === number : BigInt.asUintN(64, number) === number;
  if (!fits) throw wrong(name, value);
  return String(number);
}

function base64(value: unknown, name: string): string {
  if (typeof value !== "string") throw wrong(name, value);
  const plain = value.replaceAll("-", "+").replaceAll("_", "/").replace(/=+$/, "");
  if (!/^[A-Za-z0-9+/]*$/.test(plain) || plain.length % 4 === 1) throw wrong(name, value);
  return plain + "=".repeat((4 - (plain.length % 4)) % 4);
}

function wrong(name: string, value: unknown): MalformedFrame {
  return new MalformedFrame("frame.malformed", `${name} cannot be ${value === null ? "null" : typeof value}`);
}
