import { fileURLToPath } from "node:url";
import type { Plugin } from "vite";
import { defineConfig } from "vite";
import { TARGETS } from "../../scripts/targets.mjs";

/**
 * The bundler's helper for lazy chunks preloads their styles; ours have none, so importing is all, and what it is
 * told about styles goes.
 */
const plainImports: Plugin = {
  name: "frontdesk:plain-imports",
  enforce: "pre",
  load: (id) => (id.endsWith("vite/preload-helper.js") ? "export const __vitePreload = (load) => load();" : undefined),
  generateBundle: {
    order: "post",
    handler: (_, bundle) => {
      for (const chunk of Object.values(bundle)) {
        if (chunk.type !== "chunk") continue;
        chunk.code = chunk.code
          .replace(/,(?:__vite__mapDeps\(\[[\d,]*\]\)|\[\]),import\.meta\.url\)/g, ")")
          .replace(/^const __vite__mapDeps=.*\n/, "");
        if (chunk.code.includes("__vite__")) throw new Error(`${chunk.fileName} still has what the bundler's helper is told`);
      }
    },
  },
};

/** What the chat needs at once is one file: pieces of it cost a request each, and compress worse. */
const CHAT =
  /node_modules|packages\/(?:client\/src\/(?!asked)|protocol\/)|packages\/client\/browser\/index|packages\/ui\/src\/(?:icons|controls|composer|scroller|windowing)|packages\/i18n\/src\/(?:system|texts|time)|apps\/widget\/src\/(?:app|view\/(?:app|body|header|lazy|timeline|welcome)|model\/(?:chat|files|rows))\./;

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
    rolldownOptions: {
      output: {
        codeSplitting: {
          includeDependenciesRecursively: false,
          groups: [{ name: "chat", test: CHAT }],
        },
      },
    },
  },
  oxc: { jsx: { runtime: "automatic", importSource: "preact" } },
});

// Vite reads its configuration from the default export only.
export { config as default };
