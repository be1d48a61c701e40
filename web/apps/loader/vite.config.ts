import { fileURLToPath } from "node:url";
import { defineConfig } from "vite";
import { TARGETS } from "../../scripts/targets.mjs";

export const config = defineConfig({
  root: fileURLToPath(new URL(".", import.meta.url)),
  build: {
    target: [...TARGETS.widget],
    outDir: "../../dist/loader",
    emptyOutDir: true,
    modulePreload: false,
    lib: { entry: "src/loader.ts", formats: ["iife"], name: "FrontdeskLoader", fileName: () => "widget.js" },
  },
});

// Vite reads its configuration from the default export only.
export { config as default };
