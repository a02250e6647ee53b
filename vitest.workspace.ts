import { fileURLToPath } from "node:url";
import { defineConfig } from "vitest/config";

const source = (name: string) =>
  fileURLToPath(new URL(`packages/${name}/src/index.ts`, import.meta.url));

const libraries = [
  "url-config",
  "tunnel-core",
  "store",
  "logging",
  "master-api",
  "instances",
  "master-server",
];

/** Suites of many seconds: what is killed, cut, limited in time, or spoken with NodePass 1.14. */
const slow = [
  "{packages,apps}/*/test/kill.test.ts",
  "apps/master/test/soak/**/*.test.ts",
  "packages/instances/test/many.test.ts",
  ...["dying-paths", "interop-114", "life", "matrix", "rate", "burst", "hostile"].map(
    (name) => `packages/tunnel-core/test/${name}.test.ts`,
  ),
  "packages/tunnel-core/test/trust/**/*.test.ts",
];

/** Unit tests that wait: no file that sets the clock may share a worker with them. */
const inRealTime = [
  "pool/pool-dialer",
  "pool/pool-greeter",
  "session/session",
  "relay/relay",
  "udp/datagram-sender",
  "conduit/framed-connection",
].map((name) => `packages/tunnel-core/src/${name}.test.ts`);

export default defineConfig({
  resolve: {
    // Tests read the packages' sources, so a stale dist can't hide a change.
    alias: Object.fromEntries(libraries.map((name) => [`@nodepass/${name}`, source(name)])),
  },
  test: {
    reporters: ["default", "./scripts/count-reporter.ts"],
    projects: [
      {
        extends: true,
        test: {
          name: "unit",
          include: ["{packages,apps}/*/src/**/*.test.ts"],
          exclude: inRealTime,
          isolate: false,
        },
      },
      {
        extends: true,
        test: { name: "unit-async", include: inRealTime },
      },
      {
        extends: true,
        test: {
          name: "integration",
          include: ["{packages,apps}/*/test/**/*.test.ts"],
          exclude: slow,
          testTimeout: 60_000,
          hookTimeout: 60_000,
        },
      },
      {
        extends: true,
        test: { name: "slow", include: slow, testTimeout: 60_000, hookTimeout: 60_000 },
      },
    ],
  },
});
