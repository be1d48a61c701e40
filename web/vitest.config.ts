import { defineConfig } from "vitest/config";

export const config = defineConfig({
  test: {
    include: ["packages/**/*.test.{ts,tsx}", "apps/**/*.test.{ts,tsx}"],
    testTimeout: 10_000,
    // Nothing a test does may reach for the network.
    environmentOptions: { happyDOM: { settings: { disableIframePageLoading: true } } },
  },
});

// Vitest reads its configuration from the default export only.
export { config as default };
