import { defineConfig } from "vite";

export const config = defineConfig({
  // Relative, so that the console works under any path prefix.
  base: "./",
  build: {
    outDir: "dist",
    target: ["chrome100", "safari15.4"],
    // Scripts and styles stay files of their own: the page's policy forbids inline ones.
    modulePreload: { polyfill: false },
    assetsInlineLimit: 0,
  },
  oxc: { jsx: { runtime: "automatic", importSource: "preact" } },
});

// Vite reads its configuration from the default export only.
export { config as default };
