import { fileURLToPath } from "node:url";
import type { Plugin } from "vite";
import { defineConfig } from "vite";
import { TARGETS } from "../../scripts/targets.mjs";

/** The bundler's helper for lazy chunks preloads their styles; ours have none, so importing is all. */
const plainImports: Plugin = {
  name: "frontdesk:plain-imports",
  enforce: "pre",
  load: (id) => (id.endsWith("vite/preload-helper.js") ? "export const __vitePreload = (load) => load();" : undefined),
};

export const config = defineConfig({
  root: fileURLToPath(new URL(".", import.meta.url)),
  base: "./",
  plugins: [plainImports],
  build: {
    target: [...TARGETS.widget],
    cssTarget: ["chrome80", "safari13.1"],
    outDir: "../../dist/widget",
    emptyOutDir: true,
    modulePreload: false,
    assetsInlineLimit: 0,
  },
  oxc: { jsx: { runtime: "automatic", importSource: "preact" } },
});

// Vite reads its configuration from the default export only.
export { config as default };
