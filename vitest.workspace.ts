import { fileURLToPath } from "node:url";
import { defineConfig } from "vitest/config";
import CountReporter from "./scripts/count-reporter.ts";
import LongestFirst from "./scripts/longest-first.ts";

const file = (path: string) => fileURLToPath(new URL(`packages/${path}`, import.meta.url));
const source = (name: string) => file(`${name}/src/index.ts`);

const libraries = [
  "model",
  "metrics",
  "url-config",
  "tunnel-core",
  "carrier-quic",
  "store",
  "go-state",
  "desired-state",
  "config-file",
  "logging",
  "master-api",
  "master-client",
  "mcp",
  "instances",
  "master-server",
  "fleet-protocol",
  "fleet-agent",
  "fleet-hub",
];

/** Suites of many seconds: what is killed, cut, limited in time, or spoken with NodePass 1.14. */
const slow = [
  "{packages,apps}/*/test/kill.test.ts",
  "apps/master/test/soak/**/*.test.ts",
  "apps/cli/test/reload-trial.test.ts",
  "apps/cli/test/docs-site.test.ts",
  "packages/instances/test/many.test.ts",
  ...[
    "dying-paths",
    "interop-114",
    "life",
    "matrix",
    "rate",
    "burst",
    "udp-storm",
    "hostile",
    "first-release",
    "kill-clients",
    "port-of-200",
  ].map((name) => `packages/tunnel-core/test/${name}.test.ts`),
  "packages/tunnel-core/test/trust/**/*.test.ts",
];

/** Unit tests that wait: no file that sets the clock may share a worker with them. */
const inRealTime = [
  "pool/pool-dialer",
  "pool/pool-greeter",
  "session/session",
  "relay/relay",
  "udp/datagram-sender",
  "udp/udp-target",
  "conduit/framed-connection",
  "entry/conduit-queue",
  "lane/lane-branch",
  "lane/lane-rules",
  "lane/lanes",
]
  .map((name) => `packages/tunnel-core/src/${name}.test.ts`)
  .concat("packages/fleet-agent/src/parts/leases.test.ts");

export default defineConfig({
  resolve: {
    // Tests read the packages' sources, so a stale dist can't hide a change.
    alias: {
      // Before the packages' own names, which are prefixes of them.
      "@nodepass/model/schemas": file("model/src/schemas/index.ts"),
      "@nodepass/desired-state/fleet": file("desired-state/src/fleet/index.ts"),
      "@nodepass/model/fleet": file("model/src/fleet/index.ts"),
      "@nodepass/master-client/fleet": file("master-client/src/fleet/index.ts"),
      "@nodepass/master-client/node": file("master-client/src/node/index.ts"),
      "@nodepass/config-file/exported": file("config-file/src/exported-config.ts"),
      ...Object.fromEntries(libraries.map((name) => [`@nodepass/${name}`, source(name)])),
      "test-support/contract": file("master-api/test/support/contract.ts"),
      "test-support/parity": fileURLToPath(
        new URL("scripts/test-support/parity.ts", import.meta.url),
      ),
      "test-support/raw-request": fileURLToPath(
        new URL("scripts/test-support/raw-request.ts", import.meta.url),
      ),
      "test-support/readme": fileURLToPath(
        new URL("scripts/test-support/readme.ts", import.meta.url),
      ),
      "test-support/nats": fileURLToPath(
        new URL("scripts/test-support/nats-server.ts", import.meta.url),
      ),
      "test-support/loop-disk": fileURLToPath(
        new URL("scripts/test-support/loop-disk.ts", import.meta.url),
      ),
      "test-support": fileURLToPath(
        new URL("scripts/test-support/reserve-port.ts", import.meta.url),
      ),
      "#msgpackr": file("store/node_modules/msgpackr/pack.js"),
    },
  },
  test: {
    reporters: ["default", new CountReporter()],
    sequence: { sequencer: LongestFirst },
    maxWorkers: 2,
    // The count reporter prints it at the end; between the names of tests nobody finds figures.
    onConsoleLog: () => false,
    projects: [
      {
        extends: true,
        test: {
          name: "unit",
          include: ["{packages,apps}/*/src/**/*.test.ts", "bench/**/*.test.ts"],
          exclude: inRealTime,
          isolate: false,
          setupFiles: ["./scripts/test-support/real-timers.ts"],
          testTimeout: 60_000,
        },
      },
      {
        extends: true,
        test: { name: "unit-async", include: inRealTime, testTimeout: 60_000 },
      },
      {
        extends: true,
        test: {
          name: "integration",
          include: ["{packages,apps}/*/test/**/*.test.ts", "scripts/test/**/*.test.ts"],
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
