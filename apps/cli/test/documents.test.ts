import { readdirSync, readFileSync } from "node:fs";
import {
  DEFAULT_ENVIRONMENT,
  describeEnvironment,
  describeParameters,
  formatDuration,
} from "@nodepass/url-config";
import { describe, expect, it, test } from "vitest";
import { workspaceFolder } from "./support/pack.ts";

const read = (path: string): string => readFileSync(`${workspaceFolder}/${path}`, "utf8");

/** All sources of the workspace but tests, as one text each. */
const sources = ["packages", "apps"].flatMap((parent) =>
  readdirSync(`${workspaceFolder}/${parent}`).flatMap((name) =>
    readdirSync(`${workspaceFolder}/${parent}/${name}/src`, { recursive: true, encoding: "utf8" })
      .filter((file) => file.endsWith(".ts") && !/\.(?:test|bench)\.ts$/.test(file))
      .map((file) => ({ path: `${parent}/${name}/src/${file}`, text: "" })),
  ),
);
for (const source of sources) source.text = read(source.path);

describe("docs/errors.md", () => {
  const document = read("docs/errors.md");

  test.each([
    ["TunnelError", "packages/tunnel-core/src/errors.ts"],
    ["StoreError", "packages/store/src/store-error.ts"],
    ["MasterServerError", "packages/master-server/src/master-server-error.ts"],
    ["UrlConfigError", "packages/url-config/src/url-problem.ts"],
    ["MasterClientError", "packages/master-client/src/client-error.ts"],
    ["McpError", "packages/mcp/src/mcp-error.ts"],
    ["ConfigFileError", "packages/config-file/src/config-file-error.ts"],
    ["GoStateError", "packages/go-state/src/go-state-error.ts"],
    ["SealError", "packages/fleet-protocol/src/seal/seal-error.ts"],
    ["FleetSetupError", "packages/fleet-protocol/src/setup-error.ts"],
  ])("tells the codes of %s, no more and no fewer, and each is thrown somewhere", (name, path) => {
    const [, union = ""] = new RegExp(`type ${name}Code =([^;]*);`).exec(read(path)) ?? [];
    const codes = [...union.matchAll(/"([A-Z_0-9]+)"/g)].map(([, code = ""]) => code);
    expect(codes.length).toBeGreaterThan(1);
    const [, section = ""] = document.split(`\n## \`${name}\``);
    const [told = ""] = section.split("\n## ");
    expect([...told.matchAll(/`([A-Z]+_?[A-Z_0-9]*)`/g)].map(([, code]) => code).sort()).toEqual(
      [...codes].sort(),
    );
    const own = sources.filter((source) => source.path.startsWith(path.split("/src/")[0] ?? ""));
    const unused = codes.filter(
      (code) => !own.some(({ text }) => text.replace(union, "").includes(`"${code}"`)),
    );
    expect(unused).toEqual([]);
  });
});

describe("docs/limits.md", () => {
  const document = read("docs/limits.md");

  it("gives every variable with its default", () => {
    const rows = [...document.matchAll(/^\| (`NP_[^|]*) \| ([^|]*) \|/gm)];
    const told = new Map<string, string>();
    for (const [, names = "", defaults = ""] of rows) {
      const values = defaults.trim().split(", ");
      for (const [at, name] of [...names.matchAll(/`(NP_[A-Z_]+)`/g)].entries()) {
        told.set(name[1] ?? "", values[at] ?? values[0] ?? "");
      }
    }
    for (const { name, field } of describeEnvironment()) {
      const value = DEFAULT_ENVIRONMENT[field];
      const text = field.endsWith("Ms")
        ? formatDuration(value).replace(/(?<=[hm])0[ms]/g, "")
        : `${value}`;
      expect([name, told.get(name)]).toEqual([name, text]);
    }
  });

  // What the table says of a bound, and where the code has it.
  test.each([
    [
      "1,024, of them 256 from one address",
      "listener/newcomers.ts",
      ["MAX_NEWCOMERS = 1024", "MAX_PER_ADDRESS = 256"],
    ],
    [
      "64 more for each further session at the port, 8,192 at most",
      "listener/newcomers.ts",
      ["MORE_NEWCOMERS = 64", "MOST_NEWCOMERS = 8192"],
    ],
    ["is answered 10 ms after it came", "handshake/handshake-server.ts", ["REFUSAL_MS = 10"]],
    ["800 ms before the next is tried", "tunnels/client-tunnel.ts", ["IMPATIENT_MS = 800"]],
    [
      "gets no users after 300 ms, or three of its round trips",
      "session/control-channel.ts",
      ["PROBE_MS = 300", "PROBE_ROUND_TRIPS = 3"],
    ],
    ["as for connections: 1,024, 256 and 512", "listener/newcomers.ts", ["MAX_EXPECTED = 512"]],
    ["128 beside one for each session", "carrier/proved-connections.ts", ["MAX_FORMER = 128"]],
    ["5 s, and 4,096 a tunnel", "stream/lingerer.ts", ["LINGER_MS = 5000", "MAX_LINGERING = 4096"]],
    [
      "1 MiB a stream, 16 MiB a connection",
      "carrier/shared-limits.ts",
      [
        "STREAM_WINDOW_BYTES = 1024 * 1024",
        "CONNECTION_WINDOW_BYTES = 16 * 1024 * 1024",
        "MAX_SHARED_STREAMS = 100_000",
        "UNANSWERED_PINGS = 3",
      ],
    ],
    ["4,096 bytes", "wire/signal-decoder.ts", ["DEFAULT_MAX_LINE_BYTES = 4096"]],
    [
      "128, with TLS 8, and 5, with TLS 2",
      "pool/pool-refill.ts",
      ["NEAR = { plain: 128, secure: 8 }", "PER_MS = { plain: 5, secure: 2 }"],
    ],
    ["16 KiB and one read", "conduit/framed-connection.ts", ["MAX_HELD_BYTES = 16 * 1024"]],
    [
      "1 MiB a session and direction",
      "udp/datagram-throttle.ts",
      ["MAX_WAITING_BYTES = 1024 * 1024"],
    ],
    ["65,507 bytes", "wire/datagram-frame.ts", ["MAX_DATAGRAM_BYTES = 65_507"]],
    ["16 KiB, one second", "wire/block-http.ts", ["MAX_UNDECIDED_BYTES = 16_384"]],
    ["16 KiB, one second", "relay/first-bytes.ts", ["HOLD_MS = 1000"]],
    [
      "3 in 10 s",
      "tunnels/log-limiter.ts",
      [
        "LIMITED: Pace = { records: 3, windowMs: 10_000 }",
        "RARE: Pace = { records: 1, windowMs: 60_000 }",
      ],
    ],
    ["swept four times in it", "relay/relay-registry.ts", ["SWEEPS_PER_TIMEOUT = 4"]],
  ])("says %j, as %s does", (told, file, constants) => {
    expect(document).toContain(told);
    for (const constant of constants) {
      expect(read(`packages/tunnel-core/src/${file}`)).toContain(`const ${constant};`);
    }
  });
});

test("README.md names every package and app, and folders that are there", () => {
  const named = [...read("README.md").matchAll(/\[((?:packages|apps)\/[\w-]+)\]\(\1\)/g)];
  const there = ["packages", "apps"].flatMap((parent) =>
    readdirSync(`${workspaceFolder}/${parent}`).map((name) => `${parent}/${name}`),
  );
  expect([...new Set(named.map(([, folder]) => folder))].sort()).toEqual(there.sort());
});

test("README.md promises a lost peer no sooner than the longest wait before a try", () => {
  const [, seconds] = /`NP_SERVICE_COOLDOWN` \((\d+) s\)/.exec(read("README.md")) ?? [];
  expect(Number(seconds) * 1000).toBe(DEFAULT_ENVIRONMENT.serviceCooldownMs);
});

test("README.md gives every parameter of URLs, whose it is and its default", () => {
  const groups: Record<string, readonly string[]> = {
    all: ["server", "client", "master"],
    both: ["server", "client"],
  };
  const rows = Array.from(
    read("README.md").matchAll(/^\| (`[a-z][^|]*) \| ([a-z, ]+) \| ([^|]*?) ?\| /gm),
    ([, names = "", of = "", given = ""]) => ({ names, of, given: given.replaceAll("`", "") }),
  );
  const told = describeParameters().map(({ name }) => {
    const own = rows.filter(({ names }) => names.includes(`\`${name}\``));
    const schemes = own.flatMap(({ of }) => groups[of] ?? of.split(", "));
    return { name, schemes: [...new Set(schemes)], given: own[0]?.given };
  });
  expect(told).toEqual(
    describeParameters().map(({ name, schemes, defaultText = "" }) => ({
      name,
      schemes,
      // Zeros are not written here.
      given: defaultText.replace(/(?<=m)0s$/, ""),
    })),
  );
});

/** What people read: of the workspace, of its folders, of each package. */
const documents = [
  "README.md",
  "deploy/README.md",
  ...readdirSync(`${workspaceFolder}/docs`)
    .filter((name) => name.endsWith(".md"))
    .map((name) => `docs/${name}`),
  ...["packages", "apps"].flatMap((parent) =>
    readdirSync(`${workspaceFolder}/${parent}`).map((name) => `${parent}/${name}/README.md`),
  ),
];

test("no document has what follows diff depend on its success: a difference is exit code 6", () => {
  const joined = documents.flatMap((path) =>
    read(path)
      .split("\n")
      .filter((line) => /\bdiff\b[^;|`]*&&/.test(line))
      .map((line) => `${path}: ${line}`),
  );
  expect(joined).toEqual([]);
  expect(read("README.md")).toMatch(/^nodepass diff -f nodepass\.yaml .*exit code 6/m);
});

test("README.md says what the first commands take for granted", () => {
  const text = read("README.md");
  const [before = ""] = text.split("npm start -- ls --json");
  expect(before).toContain("npm start -- login");
  expect(text).toMatch(/^nodepass 'master:.*# prints the API key.*container.*NP_SHOW_KEY=1/m);
  expect(text).toMatch(/listens on every interface/);
});
