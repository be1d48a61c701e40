// Writes what the three SDKs know of the wire from proto/: the types, and a table of every message's fields by which
// frames are read and written in protobuf's JSON mapping. So no SDK needs a protobuf runtime, and none can forget
// a field. `node sdk/generate.mjs` writes the files, with `--check` it only says which are not up to date.
//
// It reads as much of the proto language as proto/ uses: messages, enums, oneof, repeated, optional, map.
import { readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const SOURCES = ["proto/chat/v1/session.proto", "proto/wire/v1/frame.proto"];
const SCALARS = new Set(["string", "bytes", "bool", "uint32", "uint64", "int64", "fixed64", "float"]);
/** Names that would hide what the languages already mean by them. */
const RENAMED = { Error: "ErrorFrame" };

/** Reads the files into `{messages: {name: [field]}, enums: {name: [[name, number]]}}`. */
function read() {
  const messages = {};
  const enums = {};
  const taken = new Set();
  for (const path of SOURCES) {
    const local = {};
    const lines = readFileSync(join(root, path), "utf8").split("\n");
    const mine = lines.map((line) => line.match(/^(?:message|enum) (\w+)/)?.[1]).filter(Boolean);
    for (const name of mine) {
      // Two packages have a message of this name; the later one is a frame.
      local[name] = RENAMED[name] ?? (taken.has(name) ? `${name}Frame` : name);
    }
    for (const name of mine) taken.add(local[name]);
    let message;
    let oneof = "";
    let values;
    for (const whole of lines) {
      const line = whole.replace(/\/\/.*/, "").trim();
      const opens = line.match(/^(message|enum|oneof) (\w+) \{(\})?$/);
      if (opens?.[1] === "message") {
        message = opens[3] ? undefined : [];
        messages[local[opens[2]]] = message ?? [];
      } else if (opens?.[1] === "enum") {
        enums[local[opens[2]]] = values = [];
      } else if (opens?.[1] === "oneof") {
        oneof = opens[2];
      } else if (line === "}") {
        if (oneof !== "") oneof = "";
        else message = values = undefined;
      } else if (values) {
        const value = line.match(/^(\w+) = (\d+);$/);
        if (value) values.push([value[1], Number(value[2])]);
      } else if (message) {
        const field = line.match(/^(repeated |optional )?(map<string, string>|[\w.]+) (\w+) = (\d+);$/);
        if (!field) {
          if (line !== "" && !line.startsWith("reserved ")) throw new Error(`${path}: not understood: ${whole}`);
          continue;
        }
        const [, label, type, proto] = field;
        const short = type.split(".").at(-1);
        const own = type.includes(".") ? short : (local[short] ?? short);
        message.push({
          proto,
          name: proto.replace(/_(\w)/g, (_, letter) => letter.toUpperCase()),
          type: type.startsWith("map") ? "map" : SCALARS.has(type) ? type : own,
          label: oneof === "" ? (label ?? "").trim() : "oneof",
          oneof,
        });
      }
    }
  }
  for (const fields of Object.values(messages)) {
    for (const field of fields) {
      if (field.type !== "map" && !SCALARS.has(field.type) && !messages[field.type] && !enums[field.type])
        throw new Error(`nothing is named ${field.type}`);
    }
  }
  return { messages, enums };
}

const HEAD = "Written by sdk/generate.mjs from proto/; change it there.";

function typescript({ messages, enums }) {
  const scalar = { string: "string", bytes: "string", bool: "boolean", uint32: "number", float: "number", map: "Readonly<Record<string, string>>" };
  const out = [
    `// ${HEAD}`,
    "// Frames as protobuf's JSON mapping writes them. A field that is zero, empty or false is absent; 64-bit numbers are",
    "// text; bytes are base64.",
    "",
  ];
  for (const [name, values] of Object.entries(enums)) {
    out.push(`export type ${name} =`, ...values.map(([value]) => `  | ${JSON.stringify(value)}`));
    out[out.length - 1] += ";";
    out.push("");
  }
  for (const [name, fields] of Object.entries(messages)) {
    if (fields.length === 0) {
      out.push(`export type ${name} = Readonly<Record<string, never>>;`, "");
      continue;
    }
    out.push(`export type ${name} = {`);
    for (const field of fields) {
      const type = scalar[field.type] ?? (SCALARS.has(field.type) ? "string" : field.type);
      out.push(`  readonly ${field.name}?: ${field.label === "repeated" ? `readonly ${type}[]` : type} | undefined;`);
    }
    out.push("};", "");
  }
  out.push(
    "/** Name, name in the proto file, type, and how it stands: plain, repeated, optional or a oneof's name. */",
    "export type Field = readonly [name: string, proto: string, type: string, stands: string];",
    "",
    "export const MESSAGES: Readonly<Record<string, readonly Field[]>> = {",
  );
  for (const [name, fields] of Object.entries(messages)) {
    if (fields.length === 0) {
      out.push(`  ${name}: [],`);
      continue;
    }
    out.push(`  ${name}: [`);
    for (const field of fields) out.push(`    ${row(field)},`);
    out.push("  ],");
  }
  out.push("};", "", "/** Values by their number. */", "export const ENUMS: Readonly<Record<string, readonly string[]>> = {");
  for (const [name, values] of Object.entries(enums)) {
    out.push(`  ${name}: [${dense(name, values).map((value) => JSON.stringify(value)).join(", ")}],`);
  }
  out.push("};", "");
  return out.join("\n");
}

function row(field) {
  const words = [field.name, field.proto, field.type, field.oneof || field.label || "plain"];
  return `[${words.map((word) => JSON.stringify(word)).join(", ")}]`;
}

function dense(name, values) {
  values.forEach(([value, number], index) => {
    if (number !== index) throw new Error(`${name}.${value} leaves a number out`);
  });
  return values.map(([value]) => value);
}

function python({ messages, enums }) {
  const scalar = { string: "str", bytes: "str", bool: "bool", uint32: "int", float: "float", map: "dict[str, str]" };
  const out = [
    `"""${HEAD}`,
    "",
    "Frames as protobuf's JSON mapping writes them. A field that is zero, empty or false is absent; 64-bit numbers are",
    "text; bytes are base64.",
    '"""',
    "",
    "from __future__ import annotations",
    "",
    "from typing import Literal, TypedDict",
    "",
  ];
  for (const [name, values] of Object.entries(enums)) {
    out.push(`${name} = Literal[`, ...values.map(([value]) => `    ${JSON.stringify(value)},`), "]", "");
  }
  for (const [name, fields] of Object.entries(messages)) {
    out.push("", `class ${name}(TypedDict, total=False):`);
    if (fields.length === 0) out.push("    pass");
    for (const field of fields) {
      const type = scalar[field.type] ?? (SCALARS.has(field.type) ? "str" : field.type);
      out.push(`    ${field.name}: ${field.label === "repeated" ? `list[${type}]` : type}`);
    }
    out.push("");
  }
  out.push(
    "",
    "# Name, name in the proto file, type, and how it stands: plain, repeated, optional or a oneof's name.",
    "MESSAGES: dict[str, tuple[tuple[str, str, str, str], ...]] = {",
  );
  for (const [name, fields] of Object.entries(messages)) {
    if (fields.length === 0) {
      out.push(`    ${JSON.stringify(name)}: (),`);
      continue;
    }
    out.push(`    ${JSON.stringify(name)}: (`);
    for (const field of fields) out.push(`        ${row(field).replace(/^\[/, "(").replace(/\]$/, ")")},`);
    out.push("    ),");
  }
  out.push("}", "", "# Values by their number.", "ENUMS: dict[str, tuple[str, ...]] = {");
  for (const [name, values] of Object.entries(enums)) {
    out.push(`    ${JSON.stringify(name)}: (${dense(name, values).map((value) => JSON.stringify(value)).join(", ")}),`);
  }
  out.push("}", "");
  return out.join("\n");
}

function go({ messages, enums }) {
  const scalar = { string: "string", bytes: "[]byte", bool: "bool", uint32: "uint32", float: "float32", map: "map[string]string", uint64: "uint64", int64: "int64", fixed64: "uint64" };
  const upper = (name) => (name[0].toUpperCase() + name.slice(1)).replace(/Id(?=$|[A-Z])/g, "ID").replace(/Url(?=$|[A-Z])/g, "URL");
  const out = [
    `// Code generated by sdk/generate.mjs from proto/. DO NOT EDIT.`,
    "",
    "// Package wire holds the frames as protobuf's JSON mapping writes them, and reads and writes them.",
    "package wire",
    "",
  ];
  for (const [name, values] of Object.entries(enums)) {
    out.push(`// ${name} is an enum of the protocol; its values are written by name.`, `type ${name} string`, "", `// The values of ${name}.`, "const (");
    const names = values.map(([value]) => value.toLowerCase().replace(/(?:^|_)(\w)/g, (_, letter) => letter.toUpperCase()).replace(/Api$/, "API"));
    const width = Math.max(...names.map((value) => value.length));
    values.forEach(([value], index) => out.push(`\t${names[index].padEnd(width)} ${name} = ${JSON.stringify(value)}`));
    out.push(")", "");
  }
  for (const [name, fields] of Object.entries(messages)) {
    out.push(`// ${name} is a message of the protocol.`);
    if (fields.length === 0) {
      out.push(`type ${name} struct{}`, "");
      continue;
    }
    out.push(`type ${name} struct {`);
    const rows = fields.map((field) => {
      const message = messages[field.type] !== undefined;
      let type = scalar[field.type] ?? field.type;
      // Presence of a message, an optional or a oneof's member says something.
      if (field.label === "repeated") type = `[]${type}`;
      else if (message || field.label === "optional" || field.label === "oneof") type = `*${type}`;
      const text = ["uint64", "int64", "fixed64"].includes(field.type) && field.label !== "repeated" ? ",string" : "";
      return [upper(field.name), type, `\`json:"${field.name}${text},omitempty"\``];
    });
    const widths = [0, 1].map((column) => Math.max(...rows.map((cells) => cells[column].length)));
    for (const [field, type, tag] of rows) out.push(`\t${field.padEnd(widths[0])} ${type.padEnd(widths[1])} ${tag}`);
    out.push("}", "");
  }
  out.push("// messages are the fields of every message, by which frames are read and written.", "var messages = map[string][]field{");
  for (const [name, fields] of Object.entries(messages)) {
    // One that is not there has no fields.
    if (fields.length === 0) continue;
    out.push(`\t${JSON.stringify(name)}: {`);
    for (const field of fields) out.push(`\t\t${row(field).replace(/^\[/, "{").replace(/\]$/, "}")},`);
    out.push("\t},");
  }
  out.push("}", "", "// enums are the values of every enum by their number.", "var enums = map[string][]string{");
  const width = Math.max(...Object.keys(enums).map((name) => name.length));
  for (const [name, values] of Object.entries(enums)) {
    out.push(`\t${JSON.stringify(name)}:${" ".repeat(width - name.length + 1)}{${dense(name, values).map((value) => JSON.stringify(value)).join(", ")}},`);
  }
  out.push("}", "");
  return out.join("\n");
}

const wire = read();
const check = process.argv.includes("--check");
const stale = [];
for (const [path, text] of [
  ["sdk/typescript/src/wire.ts", typescript(wire)],
  ["sdk/python/src/frontdesk/wire.py", python(wire)],
  ["sdk/go/wire/frames.go", go(wire)],
]) {
  let there = "";
  try {
    there = readFileSync(join(root, path), "utf8");
  } catch {
    // It is written anew.
  }
  if (there === text) continue;
  stale.push(path);
  if (!check) writeFileSync(join(root, path), text);
}
if (check && stale.length > 0) {
  console.error(`Not up to date: ${stale.join(", ")}. Run node sdk/generate.mjs.`);
  process.exitCode = 1;
}
