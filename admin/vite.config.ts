import tailwindcss from "@tailwindcss/vite";
import react from "@vitejs/plugin-react";
import { defineConfig } from "vite";

// The page goes into the jar, beside the classes of the node that serves it.
export default defineConfig({
  plugins: [react(), tailwindcss()],
  build: { outDir: "target/classes/sh/fazt/admin", emptyOutDir: true, assetsDir: "assets" },
});
