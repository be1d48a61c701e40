import { fileURLToPath } from "node:url";
import { defineConfig } from "vite";
import { TARGETS } from "../../scripts/targets.mjs";

export const config = defineConfig({
  root: fileURLToPath(new URL(".", import.meta.url)),
  base: "./",
  build: {
    target: [...TARGETS.widget],
    cssTarget: ["chrome80", "safari13.1"],
    outDir: "../../dist/demo",
    emptyOutDir: true,
    modulePreload: false,
    assetsInlineLimit: 0,
  },
});

// Vite reads its configuration from the default export only.
export { config as default };
