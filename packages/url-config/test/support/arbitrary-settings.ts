import fc from "fast-check";
import {
  type ClientSettings,
  deriveTunnelKey,
  type HostPort,
  type MasterSettings,
  type McpMode,
  type ProxyAddress,
  type ServerSettings,
  type Settings,
  type TunnelSettings,
} from "../../src/index.ts";

const host = fc.oneof(
  fc.constant(""),
  fc.domain(),
  fc.ipV4(),
  fc.ipV6(),
  fc.constant("fe80::1%eth0"),
);

/** A port of its own range for tunnels and targets, so that no address loops. */
const tunnelAddress: fc.Arbitrary<HostPort> = fc.record({
  host,
  port: fc.integer({ min: 1, max: 32_767 }),
});
const targetAddress: fc.Arbitrary<HostPort> = fc.record({
  host,
  port: fc.integer({ min: 32_768, max: 65_535 }),
});

const path = fc
  .string({ unit: "grapheme", minLength: 1 })
  .filter((text) => !/\p{Cs}|\0/u.test(text));
const key = fc.string({ unit: "grapheme", minLength: 1 }).filter((text) => !/\p{Cs}/u.test(text));
const durationMs = fc.integer({ min: 0, max: 596 * 3_600_000 });
const rate = fc.integer({ min: 0, max: 1_000_000 }).map((megabits) => megabits * 125_000);
const mode = fc.constantFrom<(0 | 1 | 2)[]>(0, 1, 2);
const httpPath = fc
  .array(fc.stringMatching(/^[A-Za-z0-9_~-]{1,8}$/), { maxLength: 3 })
  .map((segments) => `/${segments.join("/")}`);

/** No more than 255 bytes each; a colon in the user is for SOCKS only. */
const credential = fc
  .string({ unit: "grapheme", minLength: 1, maxLength: 12 })
  .filter((text) => !/\p{Cs}/u.test(text) && Buffer.byteLength(text) <= 255);
const proxy: fc.Arbitrary<ProxyAddress> = fc
  .record({
    protocol: fc.constantFrom<("http" | "socks5")[]>("http", "socks5"),
    host: fc.oneof(fc.domain(), fc.ipV4(), fc.ipV6()),
    port: fc.integer({ min: 1, max: 65_535 }),
    credentials: fc.option(fc.record({ user: credential, password: credential }), {
      nil: undefined,
    }),
  })
  .filter(
    ({ protocol, credentials }) =>
      protocol === "socks5" || credentials?.user.includes(":") !== true,
  );
const log = fc.constantFrom("none", "debug", "info", "warn", "error", "event");

/** Rules for every port: any end takes them. */
const rules = fc.array(
  fc.oneof(
    fc.ipV4(),
    fc.ipV6(),
    fc.tuple(fc.ipV4(), fc.nat(32)).map((block) => block.join("/")),
    fc.constantFrom("2001:db8::/32", "::/0", "file:/etc/a b.txt"),
  ),
  { maxLength: 3 },
);

const tls = fc.oneof(
  fc.record({
    tls: fc.constantFrom<(0 | 1)[]>(0, 1),
    crt: fc.option(path, { nil: undefined }),
    keyFile: fc.option(path, { nil: undefined }),
  }),
  fc.record({ tls: fc.constant<2>(2), crt: path, keyFile: path }),
);

const tunnel: fc.Arbitrary<TunnelSettings> = fc
  .record({
    log,
    givenKey: fc.option(key, { nil: undefined }),
    tunnel: tunnelAddress,
    targets: fc.array(targetAddress, { minLength: 1, maxLength: 4 }),
    readTimeoutMs: durationMs,
    rateBytesPerSecond: rate,
    rateDownBytesPerSecond: fc.option(rate, { nil: undefined }),
    connectionRates: fc.record({ upBytesPerSecond: rate, downBytesPerSecond: rate }),
    proxyVersion: fc.constantFrom<(1 | 2)[]>(1, 2),
    proxy: fc.boolean(),
    trust: rules,
    lbs: fc.constantFrom<(0 | 1 | 2 | undefined)[]>(0, 1, 2, undefined),
    sticky: fc.boolean(),
    slot: fc.integer({ min: 0, max: 1_000_000 }),
    slotPerAddress: fc.integer({ min: 0, max: 1_000_000 }),
    udpIdleMs: durationMs,
    quota: fc.option(
      fc.record({
        bytes: fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER }),
        period: fc.constantFrom<("day" | "month" | "ever")[]>("day", "month", "ever"),
      }),
      { nil: undefined },
    ),
    quotaDay: fc.integer({ min: 1, max: 28 }),
    dnsTtlMs: durationMs,
    dial: fc.oneof(fc.constant("auto"), fc.ipV4(), fc.ipV6()),
    block: fc.record({ socks: fc.boolean(), http: fc.boolean(), tls: fc.boolean() }),
    tcp: fc.boolean(),
    udp: fc.boolean(),
    compat: fc.boolean(),
    path: httpPath,
    allow: rules,
    deny: rules,
  })
  .map(({ givenKey, ...rest }) => ({
    ...rest,
    proxyVersion: rest.proxy ? rest.proxyVersion : (1 as const),
    rateDownBytesPerSecond:
      rest.rateDownBytesPerSecond === rest.rateBytesPerSecond
        ? undefined
        : rest.rateDownBytesPerSecond,
    key: givenKey ?? deriveTunnelKey(rest.tunnel.port),
    keyGiven: givenKey !== undefined,
  }));

/** Any server's settings that a URL can express. */
export const serverSettings: fc.Arbitrary<ServerSettings> = fc
  .tuple(
    tunnel,
    tls,
    fc.integer({ min: 1, max: 65_535 }),
    mode,
    fc.constantFrom<(0 | 1 | 2 | 3)[]>(0, 1, 2, 3),
    fc.integer({ min: 1, max: 1024 }),
    fc.integer({ min: 0, max: 64 }),
    fc.boolean(),
    fc.uniqueArray(fc.constantFrom("a.example", "*.a.example", "b"), { maxLength: 3 }),
  )
  .filter(
    ([{ tcp }, , , chosenMode, , , , , hosts]) => hosts.length === 0 || (tcp && chosenMode !== 2),
  )
  // Who dials no target has nothing to spread.
  .filter(([{ sticky }, , , chosenMode]) => chosenMode !== 1 || !sticky)
  // Users connect at the client then.
  .filter(([{ trust }, , , chosenMode]) => chosenMode !== 2 || trust.length === 0)
  .filter(([, { tls: digit }, , , type]) => digit !== 0 || type === 0 || type === 2)
  .map(([shared, tlsSettings, max, chosenMode, type, clients, lanes, ban, hosts]) => ({
    ...shared,
    ...tlsSettings,
    scheme: "server",
    max,
    mode: chosenMode,
    type,
    clients,
    lanes,
    ban,
    hosts,
  }));

/** Any client's settings that a URL can express. */
export const clientSettings: fc.Arbitrary<ClientSettings> = fc
  .tuple(
    tunnel,
    fc.integer({ min: 1, max: 65_535 }),
    mode,
    fc.option(fc.oneof(fc.domain(), fc.ipV4(), fc.ipV6()), { nil: undefined }),
    fc.constantFrom<(0 | 1 | 2)[]>(0, 1, 2),
    fc.oneof(proxy, fc.constantFrom<("env" | undefined)[]>("env", undefined)),
  )
  .filter(([shared, , chosenMode]) => chosenMode !== 2 || shared.tunnel.host !== "")
  // A forwarder reaches no UDP target through a proxy.
  .filter(([{ udp }, , chosenMode, , , via]) => chosenMode !== 1 || via === undefined || !udp)
  .map(([shared, min, chosenMode, sni, front, via]) => ({
    ...shared,
    scheme: "client",
    otherServers: [],
    min,
    mode: chosenMode,
    sni,
    front,
    via,
  }));

/** Any master's settings that a URL can express. */
export const masterSettings: fc.Arbitrary<MasterSettings> = fc
  .tuple(
    tls,
    log,
    fc.record({ host, port: fc.nat(65_535) }),
    fc.array(fc.stringMatching(/^[A-Za-z0-9_~-]{1,8}$/), { minLength: 1, maxLength: 3 }),
    fc.constantFrom<McpMode[]>(0, 1, 2),
    fc.boolean(),
    rules,
    rules,
  )
  .map(([tlsSettings, level, listen, segments, mcp, ui, allow, deny]) => ({
    mcp,
    ...tlsSettings,
    scheme: "master",
    ui,
    log: level,
    listen,
    allow,
    deny,
    prefix: `/${segments.join("/")}`,
  }));

/** Any settings that a URL can express. */
export const anySettings: fc.Arbitrary<Settings> = fc.oneof(
  serverSettings,
  clientSettings,
  masterSettings,
);
