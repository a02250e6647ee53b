import { fileURLToPath } from "node:url";
import { defineConfig } from "vitest/config";

const file = (path: string) => fileURLToPath(new URL(`packages/${path}`, import.meta.url));
const source = (name: string) => file(`${name}/src/index.ts`);

const libraries = [
  "model",
  "url-config",
  "tunnel-core",
  "store",
  "logging",
  "master-api",
  "master-client",
  "instances",
  "master-server",
];

export default defineConfig({
  resolve: {
    // Tests read the packages' sources, so a stale dist can't hide a change.
    alias: {
      // Before the packages' own names, which are prefixes of them.
      "@nodepass/model/schemas": file("model/src/schemas/index.ts"),
      "@nodepass/master-client/node": file("master-client/src/node/index.ts"),
      ...Object.fromEntries(libraries.map((name) => [`@nodepass/${name}`, source(name)])),
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
