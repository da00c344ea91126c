import { defineConfig } from "vitest/config";

// A packaged node and Debian's Chromium: started once, used by every test.
export default defineConfig({
  test: { include: ["e2e/**/*.e2e.ts"], testTimeout: 60_000, hookTimeout: 240_000, fileParallelism: false },
});
