import { fileURLToPath } from "node:url";
import { defineConfig } from "vitest/config";

const source = (name: string) =>
  fileURLToPath(new URL(`packages/${name}/src/index.ts`, import.meta.url));

const libraries = [
  "url-config",
  "tunnel-core",
  "carrier-quic",
  "store",
  "logging",
  "master-api",
  "instances",
  "master-server",
];

export default defineConfig({
  resolve: {
    // Tests read the packages' sources, so a stale dist can't hide a change.
    alias: {
      ...Object.fromEntries(libraries.map((name) => [`@nodepass/${name}`, source(name)])),
      "#msgpackr": fileURLToPath(
        new URL("packages/store/node_modules/msgpackr/pack.js", import.meta.url),
      ),
    },
  },
  test: {
    reporters: ["default", "./scripts/count-reporter.ts"],
    projects: [
      {
        extends: true,
        test: { name: "unit", include: ["{packages,apps}/*/src/**/*.test.ts"], isolate: false },
      },
      {
        extends: true,
        test: {
          name: "integration",
          include: ["{packages,apps}/*/test/**/*.test.ts"],
          testTimeout: 60_000,
          hookTimeout: 60_000,
        },
      },
    ],
  },
});
