// Everything that can be wrong without running the apps: types, lint, texts, generated files, sizes.
// Runs all of it and then fails, so that one look shows everything.
import { spawnSync } from "node:child_process";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const web = dirname(dirname(fileURLToPath(import.meta.url)));
const bin = (name) => join(web, "node_modules", ".bin", name);

const STEPS = [
  ["types without a DOM: protocol", bin("tsc"), ["-p", "packages/protocol"]],
  ["types without a DOM: client", bin("tsc"), ["-p", "packages/client"]],
  ["types", bin("tsc"), ["-p", "."]],
  ["lint", bin("eslint"), ["."]],
  ["texts", bin("vitest"), ["run", "packages/i18n"]],
  ["generated files", process.execPath, ["scripts/gen.mjs", "--check"]],
  ["build", process.execPath, ["scripts/build.mjs"]],
  ["sizes and syntax", process.execPath, ["scripts/sizes.mjs"]],
];

const failed = [];
for (const [name, command, args] of STEPS) {
  console.log(`== ${name}`);
  if (spawnSync(command, args, { cwd: web, stdio: "inherit" }).status !== 0) failed.push(name);
}
if (failed.length > 0) {
  console.error(`failed: ${failed.join(", ")}`);
  process.exitCode = 1;
}
