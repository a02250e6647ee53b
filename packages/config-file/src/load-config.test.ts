import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { ConfigFileError } from "./config-file-error.ts";
import { exportConfig } from "./export-config.ts";
import { type LoadConfigOptions, loadConfig } from "./load-config.ts";

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "nodepass-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

function write(name: string, text: string): string {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
}

const load = (text: string, options?: LoadConfigOptions) =>
  loadConfig([write("nodepass.yaml", text)], options);

/** What is wrong with a file, without the folder's name. */
function faults(text: string, options?: LoadConfigOptions): string[] {
  try {
    load(text, options);
  } catch (error) {
    if (!(error instanceof ConfigFileError)) throw error;
    return error.message.replaceAll(`${folder}/nodepass.yaml:`, "").split("\n");
  }
  return [];
}

test("a client may have several servers, in a list", () => {
  const file = (servers: string) =>
    `tunnels: { c: { client: [${servers}], target: "127.0.0.1:1", key: k } }`;
  expect(load(file('"a.example:10101", "b.example:10102"')).tunnels).toMatchObject([
    {
      url: "client://k@a.example:10101,b.example:10102/127.0.0.1:1",
      settings: { mode: 2, otherServers: [{ host: "b.example", port: 10_102 }] },
    },
  ]);
  expect(faults(file('"a.example:10101", ":10102"'))).toEqual([
    expect.stringMatching(/^1:\d+: tunnels\.c\.client: .* has one without a host/),
  ]);
});

test("a whole file: master, defaults, keys from the environment and from files", () => {
  write("api.key", "0123456789abcdef0123456789abcdef\n");
  write("db.key", "p@ss/word?\r\n");
  const config = load(
    `
master: { url: "master://127.0.0.1:9090/api?tls=1", keyFile: ./api.key }
defaults: { tls: 1, read: 1h }
tunnels:
  web:   { server: ":10101", target: ":80", key: "\${WEB_KEY}", mode: 1, rate: 100, proxy: true }
  db:    { client: "edge.example.com:10102", target: ["127.0.0.1:5432", "[::1]:5432"], keyFile: ./db.key, min: 8 }
  local: "client://127.0.0.1:8080/example.com:80?mode=1"
  own:   { server: 10103, target: 8080, tls: 0, start: false, tags: { tier: 1 } }
`,
    { environment: { WEB_KEY: "web key" } },
  );
  expect(config.master).toMatchObject({
    apiKey: "0123456789abcdef0123456789abcdef",
    settings: { listen: { host: "127.0.0.1", port: 9090 }, tls: 1 },
  });
  const [web, db, local, own] = config.tunnels;
  expect(web?.settings).toMatchObject({
    scheme: "server",
    key: "web key",
    tls: 1,
    readTimeoutMs: 3_600_000,
    rateBytesPerSecond: 12_500_000,
    proxy: true,
  });
  expect(db?.settings).toMatchObject({
    scheme: "client",
    key: "p@ss/word?",
    min: 8,
    targets: [
      { host: "127.0.0.1", port: 5432 },
      { host: "::1", port: 5432 },
    ],
  });
  // The client takes no `tls`; what it takes of the defaults it has.
  expect(local?.url).toBe("client://127.0.0.1:8080/example.com:80?mode=1&read=1h");
  expect(own).toMatchObject({
    settings: { tls: 0, tunnel: { host: "", port: 10103 }, targets: [{ host: "", port: 8080 }] },
    start: false,
    tags: { tier: "1" },
    origin: { line: 8 },
  });
});

test("JSON is read as YAML is", () => {
  const path = write(
    "nodepass.json",
    JSON.stringify({ tunnels: { a: { server: ":1", target: ":2", rate: 5 } } }, null, 2),
  );
  expect(loadConfig([path]).tunnels[0]?.settings.rateBytesPerSecond).toBe(625_000);
});

test("all faults at once, each with its place, value and what is allowed", () => {
  expect(
    faults(`
defaults: { read: soon }
tunnels:
  a:
    server: ":10101"
    target: ":80"
    rate: fast
    mode: 7
  b: { client: "host:1", target: "127.0.0.1" }
  c: "client://host:1/127.0.0.1:2?slot=ten"
`),
  ).toEqual([
    expect.stringMatching(/^2:13: defaults.read: read "soon" is not valid \(allowed: a duration/),
    expect.stringMatching(/^7:5: tunnels.a.rate: rate "fast" is not valid \(allowed: a whole num/),
    '8:5: tunnels.a.mode: mode "7" is not valid (allowed: 0, 1, 2)',
    expect.stringMatching(/^9:26: tunnels.b.target: target address "127.0.0.1" has no port/),
    expect.stringMatching(/^10:3: tunnels.c: slot "ten" is not valid/),
  ]);
});

test.each([
  [
    "tunels: {}",
    `1:1: tunels: "tunels" is unknown here; did you mean tunnels? (allowed: $schema, master, defaults, tunnels)`,
  ],
  [
    "tunnels: { a: { server: ':1', target: ':2', rat: 5 } }",
    expect.stringMatching(
      /^1:45: tunnels\.a\.rat: "rat" is unknown here; did you mean rate\? \(allowed: server, /,
    ),
  ],
  [
    "defaults: { zzzzzzz: 5 }",
    expect.stringMatching(/^1:13: defaults\.zzzzzzz: "zzzzzzz" is unknown here \(allowed: /),
  ],
  ["tunnels: []", "1:1: tunnels: [] is not valid (allowed: a map)"],
  [
    "tunnels: { a: 5 }",
    "1:12: tunnels.a: 5 is not valid (allowed: a URL, or a map with server, client, url or pair)",
  ],
  [
    "tunnels: { a: { target: ':1' } }",
    "1:12: tunnels.a: it says not what it is (allowed: one of server, client, url, pair)",
  ],
  [
    "tunnels: { a: { server: ':1', client: ':2', target: ':3' } }",
    "1:12: tunnels.a: it is server and client at once (allowed: one of server, client, url, pair)",
  ],
  [
    "tunnels: { a: { server: 'x/y:1', target: ':3' } }",
    `1:17: tunnels.a.server: address "x/y:1" is not valid (allowed: host:port, :port or [IPv6]:port)`,
  ],
  [
    "tunnels: { 'a b': 'server://:1/:2' }",
    `1:12: tunnels.a b: the name "a b" is not valid (allowed: 1 to 64 letters, digits, dots, dashes and underscores)`,
  ],
  [
    `tunnels: { a: 'server://\${NO_SUCH}@:1/:2' }`,
    "1:12: tunnels.a: the environment variable NO_SUCH is not set",
  ],
  [
    `tunnels: { a: 'server://\${1}@:1/:2' }`,
    `1:12: tunnels.a: "\${1}" names no variable (allowed: \${NAME} or \${NAME:-text})`,
  ],
  [
    "tunnels: { a: { server: ':1', target: ':2', key: x, keyFile: y } }",
    "1:53: tunnels.a.keyFile: key and keyFile are both given",
  ],
  ["master: { url: 'server://:1/:2' }", expect.stringMatching(/^1:11: master.url: /)],
  ["tunnels: { a: 'x", expect.stringMatching(/^1:\d+: Missing closing 'quote/)],
  ["a: 1\na: 2", expect.stringMatching(/^\d:1: Map keys must be unique/)],
])("%s", (text, fault) => {
  expect(faults(text)).toEqual([fault]);
});

test("a file that can't be read is said with the others", () => {
  const whole = write("a.yaml", "");
  expect(() => loadConfig([whole, join(folder, "none.yaml"), join(folder, "nor.yaml")])).toThrow(
    expect.objectContaining({
      code: "CONFIG_UNREADABLE",
      message: expect.stringMatching(/none\.yaml: no such file or directory\n.*nor\.yaml/),
    }),
  );
});

test("a folder's files are one configuration, and a name is there once", () => {
  const inside = join(folder, "conf.d");
  mkdirSync(inside);
  writeFileSync(join(inside, "20.yaml"), "tunnels: { b: 'server://:3/:4' }");
  writeFileSync(join(inside, "10.yml"), "tunnels: { a: 'server://:1/:2' }");
  writeFileSync(join(inside, "readme.txt"), "no part of it");
  expect(loadConfig([inside]).tunnels.map(({ name }) => name)).toEqual(["a", "b"]);
  writeFileSync(join(inside, "30.json"), '{ "tunnels": { "a": "server://:5/:6" } }');
  expect(() => loadConfig([inside])).toThrow(
    /30\.json:1:16: tunnels\.a: is in .*10\.yml:1 already/,
  );
});

test("a mounted config map: links into a folder with a dot in front", () => {
  const data = join(folder, "..data");
  mkdirSync(data);
  writeFileSync(join(data, "nodepass.yaml"), "tunnels: { a: 'server://:1/:2' }");
  symlinkSync("..data/nodepass.yaml", join(folder, "nodepass.yaml"));
  expect(loadConfig([folder]).tunnels).toHaveLength(1);
});

test("an empty folder is a fault, an empty file is not", () => {
  expect(() => loadConfig([folder])).toThrow(/has no \.yaml, \.yml or \.json file/);
  expect(load("# nothing yet\n").tunnels).toEqual([]);
});

test("aliases that stand for billions of values are refused", () => {
  const lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"];
  for (let level = 1; level < 12; level++) {
    lines.push(`a${level}: &a${level} [${`*a${level - 1}, `.repeat(10)}]`);
  }
  expect(faults(lines.join("\n"))).toEqual([expect.stringMatching(/[Aa]lias/)]);
});

test("variables: a fallback, an empty one, and a dollar sign that is meant", () => {
  const config = load(`tunnels: { a: 'server://\${KEY:-none}$\${x}@:1/:2' }`, {
    environment: { KEY: "" },
  });
  expect(config.tunnels[0]?.url).toContain(`server://none\${x}@`);
});

test("no key is in any message", () => {
  write("db.key", "");
  const text = `
tunnels:
  a: { server: ":1", target: "x", key: "very secret" }
  b: { server: ":1", target: ":2", keyFile: ./db.key }
  c: "server://very secret@:1/:2?rate=x"
`;
  expect(faults(text)).toHaveLength(4);
  expect(faults(text).join("\n")).not.toContain("very secret");
});

test("a URL with tags, and one that is not to run", () => {
  const config = load("tunnels: { a: { url: 'server://:1/:2', tags: { x: y }, start: false } }");
  expect(config.tunnels[0]).toMatchObject({
    url: "server://:1/:2",
    tags: { x: "y" },
    start: false,
  });
  expect(faults("tunnels: { a: { url: 'server://:1/:2?rate=x' } }")).toEqual([
    expect.stringMatching(/^1:12: tunnels\.a: rate "x" is not valid/),
  ]);
});

test.each([true, false])("what is exported is read again (JSON: %s)", (json) => {
  const instances = [
    { name: "web", url: "server://p%40ss@:1/:2?rate=5", tags: {}, start: true },
    { name: "web", url: "client://h:1/127.0.0.1:2", tags: { tier: "gold: yes" }, start: true },
    { name: "客户端 #1", url: `client://\${x}@h:1/127.0.0.1:2`, tags: {}, start: false },
    { name: "/", url: "client://h:1/127.0.0.1:2?min=8", tags: {}, start: true },
  ];
  const { tunnels } = load(exportConfig(instances, { json }));
  expect(tunnels.map(({ name }) => name)).toEqual(["web", "web-2", "客户端-1", "-"]);
  expect(tunnels.map(({ url, tags, start }) => ({ url, tags, start }))).toEqual(
    instances.map(({ url, tags, start }) => ({ url, tags, start })),
  );
});

const PAIR = "pair: { server: { on: edge }, client: { selector: 'site=home', spread: site } }";

test("tunnels of a fleet: where they run, both ends of a pair, and what happens to a lost one", () => {
  const text = `
defaults: { tls: 1, read: 1h }
tunnels:
  any:   { server: ":auto", target: "127.0.0.1:80", key: k, selector: "", tags: { a: 1 } }
  url:   { url: "client://:auto/h:80?mode=1", on: '00000000000000e1', selector: fast, start: false }
  web:   { ${PAIR}, entry: 8080, target: ["127.0.0.1:80", "[::1]:80"], failover: serve, ttl: 20 }
  back:  { pair: { server: { on: a, tls: 0, rate: 5 }, client: { on: b } }, entry: "h:auto", target: "h:1", flow: forward }
  given: { pair: { server: { url: "server://:1/:2?mode=1&tls=0", on: a }, client: { url: "client://auto/h:3?mode=2", on: b } } }
`;
  const { tunnels, services } = load(text, { fleet: true });
  expect(tunnels).toEqual([]);
  expect(services.map(({ origin: _, ...rest }) => rest)).toEqual([
    {
      ...{ name: "any", tags: { a: "1" }, start: true, policy: {} },
      parts: [{ role: "server", url: "server://k@:auto/127.0.0.1:80?tls=1&read=1h", selector: "" }],
    },
    {
      ...{ name: "url", tags: {}, start: false, policy: {} },
      parts: [
        {
          ...{ role: "client", url: "client://:auto/h:80?mode=1&read=1h" },
          ...{ on: "00000000000000e1", selector: "fast" },
        },
      ],
    },
    {
      ...{ name: "web", tags: {}, start: true, policy: { failover: "serve", ttl: 20 } },
      parts: [
        { role: "server", url: "server://:auto/:8080?mode=1&tls=1&read=1h", on: "edge" },
        {
          ...{ role: "client", url: "client://auto/127.0.0.1:80,[::1]:80?mode=2&read=1h" },
          ...{ selector: "site=home", spread: "site" },
        },
      ],
    },
    {
      ...{ name: "back", tags: {}, start: true, policy: {} },
      parts: [
        { role: "server", url: "server://:auto/h:1?mode=2&tls=0&read=1h&rate=5", on: "a" },
        { role: "client", url: "client://auto/h:auto?mode=2&read=1h", on: "b" },
      ],
    },
    {
      ...{ name: "given", tags: {}, start: true, policy: {} },
      parts: [
        { role: "server", url: "server://:1/:2?mode=1&tls=0&read=1h", on: "a" },
        { role: "client", url: "client://auto/h:3?mode=2&read=1h", on: "b" },
      ],
    },
  ]);
  // What is exported is read again.
  for (const json of [true, false]) {
    const again = load(exportConfig(services, { json }), { fleet: true }).services;
    expect(again).toMatchObject(services.map(({ origin: _, ...rest }) => rest));
  }
  // Without a hub nobody knows what to make of them.
  expect(faults(text).map((fault) => fault.replace(/^[\d:]+ /, ""))).toEqual(
    ["any.selector", "url.on", "web.failover", "back.pair", "given.pair"].map(
      (field) => `tunnels.${field}: is for a fleet: its hub is told by nodepass apply`,
    ),
  );
});

const ENDS = "entry: ':1', target: ':2'";

test.each([
  [
    `a: { ${PAIR} }`,
    [
      "tunnels.a.entry: is missing (allowed: :port, host:port, or auto for the port)",
      "tunnels.a.target: is missing",
    ],
  ],
  [
    `a: { ${PAIR}, entry: h, target: ':2' }`,
    [`tunnels.a.entry: entry "h" is no address (allowed: :port`],
  ],
  [
    `a: { ${PAIR}, entry: 'a/b:1', target: ':2' }`,
    [`tunnels.a.entry: address "a/b:1" is not valid`],
  ],
  [
    `a: { pair: { server: {}, client: { on: b } }, ${ENDS} }`,
    ["tunnels.a.pair.server: says not where it runs (allowed: on, selector"],
  ],
  [
    `a: { pair: { server: { on: a } }, ${ENDS} }`,
    ["tunnels.a.pair.client: is missing (allowed: a map)"],
  ],
  [
    `pair: { server: {}, target: ':1' }`,
    ["tunnels.pair.server: {} is not valid (allowed: host:port, :port"],
  ],
  [
    `a: { pair: { server: { on: a, key: k }, client: { on: b } }, ${ENDS} }`,
    [`tunnels.a.pair.server.key: "key" is unknown here`],
  ],
  [
    `a: { pair: { server: { on: a, rate: x }, client: { on: b } }, ${ENDS} }`,
    [`tunnels.a.pair.server.rate: rate "x" is not valid`],
  ],
  [
    `a: { pair: { server: { on: a, url: 'server://k@:1/:2' }, client: { on: b } }, entry: ':1' }`,
    [
      "tunnels.a.pair.server.url: has a key (allowed: none",
      "tunnels.a.pair.client: has no url",
      "tunnels.a.entry: is not for ends with URLs",
    ],
  ],
  [
    `a: { pair: { server: { on: a, url: 'client://:1/:2' }, client: { on: b, url: 'client://auto/:2' } } }`,
    ["tunnels.a.pair.server.url: is no server's"],
  ],
  [`a: { url: 'client://auto/h:1', on: b }`, ['tunnels.a: tunnel address "auto" has no port']],
  [
    `a: { url: 'client://h:auto/h:1?mode=1' }`,
    [`tunnels.a: tunnel address "h:auto" has an invalid port`],
  ],
  [
    `a: { url: 'client://:1/h:1', on: 'site=home' }`,
    [`tunnels.a.on: "site=home" is no master (allowed: its name or mid; labels stand in selector)`],
  ],
  [
    `a: { url: 'client://:1/h:1', on: b, spread: site }`,
    ["tunnels.a.spread: has no effect beside on"],
  ],
  [
    `a: { url: 'client://:1/h:1', on: b, ttl: 9 }`,
    ["tunnels.a.ttl: has no effect without failover (allowed with it: serve, strict)"],
  ],
  [
    `a: { url: 'client://:1/h:1', on: b, failover: no }`,
    [`tunnels.a.failover: "no" is not valid (allowed: off, serve, strict)`],
  ],
  [
    `a: { url: 'client://:1/h:1', on: 00000000000000e1 }`,
    ["tunnels.a.on: 0 is not valid (allowed: a master's name or mid, in quotes where it looks"],
  ],
  [`a: { url: 'client://:1/h:1', failover: serve }`, ["tunnels.a: says not where it runs"]],
])("of a fleet: %s", (entry, expected) => {
  expect(faults(`tunnels: { ${entry} }`, { fleet: true })).toEqual(
    expected.map((fault) => expect.stringContaining(fault)),
  );
});
