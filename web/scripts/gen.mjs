// Generates the TypeScript the repository keeps from its two definitions: the wire from ../proto,
// the HTTP API from ../docs/openapi.json. `--check` writes nothing and fails where the kept files
// differ from what would be generated.
import { execFileSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";

const web = dirname(dirname(fileURLToPath(import.meta.url)));
const checking = process.argv.includes("--check");
const bin = (name) => join(web, "node_modules", ".bin", name);

const protocolGen = join(web, "packages/protocol/src/gen");
const apiGen = join(web, "packages/api-client/src/gen");
const openapi = join(web, "../docs/openapi.json");

function filesUnder(dir) {
  if (!existsSync(dir)) return [];
  return readdirSync(dir).flatMap((name) => {
    const path = join(dir, name);
    return statSync(path).isDirectory() ? filesUnder(path) : [path];
  });
}

function differences(kept, fresh) {
  const names = new Set([
    ...filesUnder(kept).map((path) => relative(kept, path)),
    ...filesUnder(fresh).map((path) => relative(fresh, path)),
  ]);
  return [...names].filter((name) => {
    const a = join(kept, name);
    const b = join(fresh, name);
    return !existsSync(a) || !existsSync(b) || readFileSync(a, "utf8") !== readFileSync(b, "utf8");
  });
}

function generate(into) {
  const template = {
    version: "v2",
    plugins: [{ local: bin("protoc-gen-es"), out: join(into, "protocol"), opt: ["target=ts", "json_types=true"] }],
  };
  execFileSync(bin("buf"), ["generate", join(web, "../proto"), "--template", JSON.stringify(template), "--path", join(web, "../proto/chat"), "--path", join(web, "../proto/wire")], { cwd: web, stdio: "inherit" });
  if (existsSync(openapi)) {
    mkdirSync(join(into, "api"), { recursive: true });
    execFileSync(bin("openapi-typescript"), [openapi, "--output", join(into, "api/openapi.ts")], { cwd: web, stdio: ["ignore", "ignore", "inherit"] });
  }
}

const scratch = mkdtempSync(join(tmpdir(), "frontdesk-gen-"));
try {
  generate(scratch);
  const pairs = [[protocolGen, join(scratch, "protocol")]];
  if (existsSync(openapi)) pairs.push([apiGen, join(scratch, "api")]);
  for (const [kept, fresh] of pairs) {
    const changed = differences(kept, fresh);
    if (checking) {
      if (changed.length > 0) {
        console.error(`${relative(web, kept)} is out of date: ${changed.join(", ")}. Run npm run gen.`);
        process.exitCode = 1;
      }
    } else if (changed.length > 0) {
      rmSync(kept, { recursive: true, force: true });
      cpSync(fresh, kept, { recursive: true });
    }
  }
} finally {
  rmSync(scratch, { recursive: true, force: true });
}
