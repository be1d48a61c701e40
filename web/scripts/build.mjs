// Builds every app into dist/{loader,widget,demo,console} with relative URLs, and lays compressed
// variants beside the files, which the server sends as they are. `node scripts/build.mjs widget`
// builds one.
import { readFileSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";
import { build } from "vite";

const web = dirname(dirname(fileURLToPath(import.meta.url)));
export const APPS = ["loader", "widget", "demo", "console"];

const COMPRESSED = /\.(?:js|css|svg|json|webmanifest|txt)$/;
/** Smaller files gain nothing. */
const COMPRESS_FROM_BYTES = 512;

export function filesUnder(dir) {
  return readdirSync(dir).flatMap((name) => {
    const path = join(dir, name);
    return statSync(path).isDirectory() ? filesUnder(path) : [path];
  });
}

function compress(dir) {
  for (const path of filesUnder(dir)) {
    if (!COMPRESSED.test(path)) continue;
    const bytes = readFileSync(path);
    if (bytes.length < COMPRESS_FROM_BYTES) continue;
    writeFileSync(`${path}.gz`, gzipSync(bytes, { level: 9 }));
    writeFileSync(`${path}.br`, brotliCompressSync(bytes, { params: { [constants.BROTLI_PARAM_QUALITY]: 11 } }));
  }
}

async function buildApp(app) {
  const outDir = join(web, "dist", app);
  rmSync(outDir, { recursive: true, force: true });
  await build({
    root: join(web, "apps", app),
    configFile: join(web, "apps", app, "vite.config.ts"),
    logLevel: "warn",
    // Letters and digits only: the server tells hashed names, which are kept for ever, by their form.
    build: { outDir, emptyOutDir: true, reportCompressedSize: false, rolldownOptions: { output: { hashCharacters: "base36" } } },
  });
  compress(outDir);
  const bytes = filesUnder(outDir).filter((path) => !/\.(?:gz|br)$/.test(path)).reduce((sum, path) => sum + statSync(path).size, 0);
  console.log(`dist/${app}: ${(bytes / 1000).toFixed(1)} kB`);
}

const wanted = process.argv.slice(2);
for (const app of wanted.length > 0 ? wanted : APPS) await buildApp(app);
