// What a visitor downloads, against the limits; and whether the bundles parse in the oldest browsers
// they are promised for. Looks at dist/, so build first.
import { existsSync, readFileSync, readdirSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { parse } from "acorn";
import { EDITIONS } from "./targets.mjs";

const web = dirname(dirname(fileURLToPath(import.meta.url)));
const dist = join(web, "dist");

/** Bytes after gzip. */
const LOADER_MAX = 3_000;
const WIDGET_SHUT_MAX = 8_000;
const WIDGET_FIRST_OPEN_MAX = 35_000;

/** Found at run time, not by the parser: built-ins newer than the oldest browser. */
const NEWER_BUILT_INS = {
  widget: [/\.replaceAll\(/, /\.at\(/, /structuredClone\(/, /\.findLast\(/, /Object\.hasOwn\(/, /randomUUID\(/, /Promise\.any\(/, /WeakRef/],
  console: [/\.findLast\(/, /structuredClone\(/, /\.toSorted\(/, /Object\.groupBy\(/, /Promise\.withResolvers\(/],
};
const NEWER_CSS = {
  widget: [/[;{]\s*inset:/, /aspect-ratio:/, /:has\(/, /@layer/, /@container/, /\b\d+dvh/, /color-mix\(/],
  console: [/:has\(/, /@container/, /color-mix\(/],
};

const failures = [];

function gzipped(path) {
  return gzipSync(readFileSync(path), { level: 9 }).length;
}

function scripts(app) {
  const dirs = [join(dist, app), join(dist, app, "assets")].filter((dir) => existsSync(dir));
  return dirs.flatMap((dir) => readdirSync(dir).filter((name) => /\.(?:js|css)$/.test(name)).map((name) => join(dir, name)));
}

function limit(what, bytes, max) {
  const line = `${what}: ${bytes} B gzip of ${max}`;
  if (bytes > max) failures.push(`${line}: too large`);
  else console.log(line);
}

/**
 * What the page asks for: page, entry and its static imports; once the chat is opened, also the chat
 * with its static imports and one language.
 */
function frame({ opened }) {
  const page = join(dist, "widget/index.html");
  const html = readFileSync(page, "utf8");
  const assets = readdirSync(join(dist, "widget/assets"));
  const entries = [...html.matchAll(/(?:src|href)="\.\/(assets\/[^"]+)"/g)].map((match) => match[1]);
  const seen = new Set();
  const visit = (name) => {
    if (seen.has(name)) return;
    seen.add(name);
    if (!name.endsWith(".js")) return;
    const code = readFileSync(join(dist, "widget", name), "utf8");
    for (const match of code.matchAll(/(?:from|import)\s*["'`]\.\/([\w.-]+\.js)["'`]/g)) visit(`assets/${match[1]}`);
  };
  if (opened) {
    const chat = assets.filter((name) => /^chat-.*\.js$/.test(name));
    if (chat.length !== 1) failures.push(`the chat is not one chunk: ${chat.join(", ")}`);
    entries.push(...chat.map((name) => `assets/${name}`));
  }
  entries.forEach(visit);
  const languages = opened ? assets.filter((name) => /^widget\..*\.js$/.test(name)) : [];
  const language = Math.max(0, ...languages.map((name) => gzipped(join(dist, "widget/assets", name))));
  return [...seen].reduce((sum, name) => sum + gzipped(join(dist, "widget", name)), gzipped(page) + language);
}

function syntax(app, promise) {
  for (const path of scripts(app)) {
    const text = readFileSync(path, "utf8");
    const name = relative(web, path);
    if (path.endsWith(".css")) {
      for (const newer of NEWER_CSS[promise]) if (newer.test(text)) failures.push(`${name}: ${newer.source} is newer than promised`);
      continue;
    }
    try {
      parse(text, { ecmaVersion: EDITIONS[promise], sourceType: app === "loader" ? "script" : "module" });
    } catch (error) {
      failures.push(`${name}: syntax newer than ES${EDITIONS[promise]}: ${error.message}`);
    }
    for (const newer of NEWER_BUILT_INS[promise]) if (newer.test(text)) failures.push(`${name}: ${newer.source} is newer than promised`);
  }
}

if (!existsSync(join(dist, "loader/widget.js"))) {
  console.error("dist/ is missing: run npm run build first.");
  process.exit(1);
}
limit("loader", gzipped(join(dist, "loader/widget.js")), LOADER_MAX);
limit("widget, before it is opened", frame({ opened: false }), WIDGET_SHUT_MAX);
limit("widget, first open", frame({ opened: true }), WIDGET_FIRST_OPEN_MAX);
syntax("loader", "widget");
syntax("widget", "widget");
syntax("demo", "widget");
if (existsSync(join(dist, "console"))) syntax("console", "console");
for (const failure of failures) console.error(failure);
if (failures.length > 0) process.exitCode = 1;
