import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fromBinary, fromJson, toBinary, toJson } from "@bufbuild/protobuf";
import { describe, expect, it } from "vitest";
import { toBase64 } from "./base64";
import { MalformedFrame } from "./frames";
import { ClientFrameSchema, ServerFrameSchema } from "./gen/wire/v1/frame_pb";
import { jsonCodec } from "./json-codec";
import { protoCodec } from "./proto-codec";

describe("base64", () => {
  it("writes every length as protobuf's JSON mapping does", () => {
    for (let length = 0; length < 20; length++) {
      const bytes = Uint8Array.from({ length }, (_, at) => (at * 37 + length) & 255);
      expect(toBase64(bytes)).toBe(Buffer.from(bytes).toString("base64"));
    }
  });
});

describe("codecs", () => {
  const hello = {
    ref: 1,
    hello: { ticket: "t1.x", held: [{ position: { epoch: "18446744073709551615", seq: "12" } }], language: "zh-CN" },
  };

  it("give the same frame back through both subprotocols", () => {
    const welcome = {
      ref: 1,
      welcome: { self: { kind: "ACTOR_KIND_VISITOR" as const, id: "x" }, epoch: "42", limits: { textBytesMax: 65536 } },
    };
    const binary = toBinary(ServerFrameSchema, fromJson(ServerFrameSchema, welcome));
    expect(protoCodec.decode(binary)).toEqual(welcome);
    expect(jsonCodec.decode(JSON.stringify(welcome))).toEqual(welcome);
    expect(toJson(ClientFrameSchema, fromBinary(ClientFrameSchema, protoCodec.encode(hello) as Uint8Array))).toEqual(hello);
    expect(JSON.parse(jsonCodec.encode(hello) as string)).toEqual(hello);
  });

  it("refuse what is no frame", () => {
    for (const bad of ["", "[]", "1", "null", "{", new ArrayBuffer(2)]) {
      expect(() => jsonCodec.decode(bad)).toThrow(MalformedFrame);
    }
    for (const bad of ["{}", Uint8Array.of(255, 255), undefined]) {
      expect(() => protoCodec.decode(bad)).toThrow(MalformedFrame);
    }
  });
});

type Vector = { readonly name: string; readonly json: Record<string, unknown>; readonly proto_hex: string };

function vectors(file: string): Vector[] {
  const path = join(import.meta.dirname, "../../../../crates/protocol/vectors", file);
  return JSON.parse(readFileSync(path, "utf8")) as Vector[];
}

function bytesOf(hex: string): Uint8Array {
  return Uint8Array.from(Buffer.from(hex, "hex"));
}

describe("golden vectors", () => {
  it.each(vectors("client.json"))("client frame $name is written byte for byte", ({ json, proto_hex }) => {
    expect(Buffer.from(protoCodec.encode(json) as Uint8Array).toString("hex")).toBe(proto_hex);
    expect(JSON.parse(jsonCodec.encode(json) as string)).toEqual(json);
  });

  it.each(vectors("server.json"))("server frame $name is read the same from both subprotocols", ({ json, proto_hex }) => {
    expect(protoCodec.decode(bytesOf(proto_hex))).toEqual(json);
    expect(jsonCodec.decode(JSON.stringify(json))).toEqual(json);
  });
});
