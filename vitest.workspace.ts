import { fileURLToPath } from "node:url";
import { defineConfig } from "vitest/config";
import CountReporter from "./scripts/count-reporter.ts";

const file = (path: string) => fileURLToPath(new URL(`packages/${path}`, import.meta.url));
const source = (name: string) => file(`${name}/src/index.ts`);

const libraries = [
  "model",
  "url-config",
  "tunnel-core",
  "store",
  "go-state",
  "desired-state",
  "config-file",
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
      "test-support": fileURLToPath(
        new URL("scripts/test-support/reserve-port.ts", import.meta.url),
      ),
    },
  },
  test: {
    reporters: ["default", new CountReporter()],
    // The count reporter prints it at the end; between the names of tests nobody finds figures.
    onConsoleLog: () => false,
    projects: [
      {
        extends: true,
        test: {
          name: "unit",
          include: ["{packages,apps}/*/src/**/*.test.ts"],
          isolate: false,
          testTimeout: 60_000,
        },
      },
      {
        extends: true,
        test: {
          name: "integration",
          include: ["{packages,apps}/*/test/**/*.test.ts", "scripts/test/**/*.test.ts"],
          testTimeout: 60_000,
          hookTimeout: 60_000,
        },
      },
    ],
  },
});
