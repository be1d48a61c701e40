// Lint for the whole workspace. Beside the usual: no HTML from strings, no default exports, no
// `any`, and a switch over a union handles every case.
import js from "@eslint/js";
import tseslint from "typescript-eslint";

const BANNED = [
  {
    selector: "MemberExpression[property.name=/^(innerHTML|outerHTML|insertAdjacentHTML)$/]",
    message: "Text nodes only: what people write must never be parsed as HTML.",
  },
  {
    selector: "JSXAttribute[name.name='dangerouslySetInnerHTML']",
    message: "Text nodes only: what people write must never be parsed as HTML.",
  },
  { selector: "ExportDefaultDeclaration", message: "Use a named export." },
  {
    selector: "CallExpression[callee.property.name='postMessage'] > Literal[value='*']",
    message: "Post to an exact origin.",
  },
];

function readonly(...names) {
  return Object.fromEntries(names.map((name) => [name, "readonly"]));
}

export const config = tseslint.config(
  { ignores: ["**/node_modules", "**/dist", "packages/*/src/gen"] },
  js.configs.recommended,
  {
    files: ["**/*.{ts,tsx}"],
    extends: [...tseslint.configs.recommendedTypeChecked],
    languageOptions: { parserOptions: { project: "./tsconfig.json", tsconfigRootDir: import.meta.dirname } },
    rules: {
      "no-restricted-syntax": ["error", ...BANNED],
      "@typescript-eslint/consistent-type-imports": "error",
      "@typescript-eslint/switch-exhaustiveness-check": ["error", { considerDefaultExhaustiveForUnions: true }],
      "@typescript-eslint/no-confusing-void-expression": "off",
      "@typescript-eslint/require-await": "off",
    },
  },
  {
    files: ["**/*.test.{ts,tsx}", "**/testing/**"],
    rules: { "@typescript-eslint/no-unsafe-assignment": "off" },
  },
  {
    files: ["**/*.{js,mjs}"],
    languageOptions: { globals: readonly("console", "process") },
  },
  {
    // What a test hands to `page.evaluate` runs in the browser.
    files: ["e2e/**/*.mjs"],
    languageOptions: {
      globals: readonly(
        "Blob", "Buffer", "DataTransfer", "File", "URL", "document", "fetch", "getComputedStyle",
        "performance", "requestAnimationFrame", "setTimeout", "clearTimeout", "setInterval",
        "clearInterval", "setImmediate", "window", "localStorage", "sessionStorage", "navigator",
        "CSSStyleSheet", "Image", "MutationObserver", "HTMLElement", "Event", "ClipboardEvent", "WebSocket", "atob", "btoa",
        "crypto", "location", "MessageChannel",
      ),
    },
  },
);

// ESLint reads its configuration from the default export only.
export { config as default };
