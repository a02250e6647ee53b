import { findLoops } from "./find-loops.ts";
import type { Findings } from "./findings.ts";
import { addressForm, formatHostPort, formatTarget, readHostPorts } from "./host-port.ts";
import { parameters } from "./parameters.ts";
import type { ParseDefaults } from "./parse-options.ts";
import { readKey } from "./read-key.ts";
import { openQuery, type QueryReader } from "./read-query.ts";
import { readTlsFiles } from "./read-tls.ts";
import type { ClientSettings, HostPort, ServerSettings, TunnelSettings } from "./settings.ts";
import type { UrlParts } from "./split-url.ts";
import { type UrlProblem, urlProblem } from "./url-problem.ts";

/** Most turns of one target where another has one. */
const mostWeight = 100;

/** Most servers of one client: it keeps a session and a pool with each. */
const mostServers = 16;

/** Stands for an address that has been reported as unusable; never gets out. */
const noAddress: HostPort = { host: "", port: 0 };

/**
 * Reads a server or client URL that has been taken apart.
 *
 * @throws {UrlConfigError} `INVALID_URL` with all that is wrong
 */
export function readTunnelUrl(
  scheme: "server" | "client",
  parts: UrlParts,
  defaults: ParseDefaults,
  findings: Findings,
): ServerSettings | ClientSettings {
  const [tunnel, ...otherServers] = readTunnelAddresses(scheme, parts.authority, findings);
  const key = readKey(parts.userInfo, tunnel.port, findings);
  const targets = readTargets(parts.path, findings);
  const query = openQuery(parts.query, scheme, findings);
  const mode = query.read(parameters.mode);
  const shared: TunnelSettings = {
    log: query.read(parameters.log, defaults.log),
    ...key,
    tunnel,
    targets,
    ...readShared(query),
  };
  const settings: ServerSettings | ClientSettings =
    scheme === "server"
      ? { scheme, ...shared, mode, ...readServerParameters(query, defaults, findings) }
      : {
          scheme,
          ...shared,
          mode: otherServers.length > 0 && mode === 0 ? 2 : mode,
          tunnel: withHost(tunnel, mode, findings),
          otherServers,
          min: query.read(parameters.min),
          sni: query.read(parameters.sni),
          front: query.read(parameters.front),
          via: query.read(parameters.via),
        };
  checkServers(settings, findings);
  checkPorts(settings, findings);
  checkProxy(settings, findings);
  checkRules(settings, findings);
  checkHosts(settings, findings);
  checkRanges(settings, findings);
  checkBalance(settings, findings);
  const servers = [tunnel, ...otherServers];
  for (const server of servers) {
    for (const loop of findLoops({ ...settings, tunnel: server })) findings.fail(loop);
  }
  findings.throwIfFailed();
  return settings;
}

function readShared(query: QueryReader) {
  const rate = query.read(parameters.rate);
  const proxy = query.read(parameters.proxy);
  return {
    readTimeoutMs: query.read(parameters.read),
    rateBytesPerSecond: rate.upBytesPerSecond,
    rateDownBytesPerSecond:
      rate.downBytesPerSecond === rate.upBytesPerSecond ? undefined : rate.downBytesPerSecond,
    lbs: query.read(parameters.lbs),
    sticky: query.read(parameters.sticky),
    connectionRates: query.read(parameters.rateconn),
    proxy: proxy > 0,
    proxyVersion: proxy === 2 ? (2 as const) : (1 as const),
    trust: query.read(parameters.trust),
    slot: query.read(parameters.slot),
    slotPerAddress: query.read(parameters.slotip),
    quota: query.read(parameters.quota),
    quotaDay: query.read(parameters.quotaday),
    udpIdleMs: query.read(parameters.udpidle),
    dnsTtlMs: query.read(parameters.dns),
    dial: query.read(parameters.dial),
    block: query.read(parameters.block),
    tcp: query.read(parameters.notcp),
    udp: query.read(parameters.noudp),
    compat: query.read(parameters.compat),
    path: query.read(parameters.path),
    allow: query.read(parameters.allow),
    deny: query.read(parameters.deny),
  };
}

function readServerParameters(query: QueryReader, defaults: ParseDefaults, findings: Findings) {
  const type = query.read(parameters.type);
  const max = query.read(parameters.max);
  const lanes = query.read(parameters.lanes);
  const tls = readTlsFiles(query, defaults, findings);
  // QUIC and HTTP/2 have no form without TLS; NodePass 1.14 raises it in the same way.
  const raised = tls.tls === 0 && (type === 1 || type === 3);
  const clients = query.read(parameters.clients);
  const ban = query.read(parameters.ban);
  const hosts = query.read(parameters.host);
  return { ...tls, ...(raised && { tls: 1 as const }), max, type, clients, lanes, ban, hosts };
}

/** A client may name several servers; a server has one address. */
function readTunnelAddresses(
  scheme: "server" | "client",
  authority: string,
  findings: Findings,
): [HostPort, ...HostPort[]] {
  const texts = scheme === "client" ? authority.split(",") : [authority];
  const [first = noAddress, ...others] = texts.map((text) => readTunnelAddress(text, findings));
  return [first, ...others];
}

function readTunnelAddress(text: string, findings: Findings): HostPort {
  if (text === "") {
    findings.fail(urlProblem("MISSING", "tunnel address", "", addressForm, "is missing"));
    return noAddress;
  }
  const result = readHostPorts(text, "tunnel address");
  if (!("code" in result)) return result;
  findings.fail(result);
  return noAddress;
}

function readTargets(path: string, findings: Findings): readonly HostPort[] {
  const text = path.slice(1);
  const targets: HostPort[] = [];
  const form = `${addressForm}; several with commas`;
  for (const raw of text === "" ? [] : text.split(",")) {
    const item = findings.lenient ? raw.trim() : raw;
    if (item === "") {
      const fault = "is empty between commas";
      findings.overlook(urlProblem("MISSING", "target address", "", form, fault), "ignored");
      continue;
    }
    const result = readTarget(item);
    if ("code" in result) {
      findings.fail(result);
      targets.push(noAddress);
    } else {
      targets.push(result);
    }
  }
  if (targets.length === 0) {
    findings.fail(urlProblem("MISSING", "target address", "", form, "is missing"));
  }
  return targets;
}

/** A target's address, with its weight if it has one: `host:port*3`. */
function readTarget(text: string): HostPort | UrlProblem {
  const [, address = text, weightText] = /^(.*)\*(\d{1,4})$/.exec(text) ?? [];
  const result = readHostPorts(address, "target address");
  if (weightText === undefined || "code" in result) return result;
  const weight = Number(weightText);
  if (weight < 1 || weight > mostWeight || String(weight) !== weightText) {
    const allowed = `host:port*weight, weight 1 to ${mostWeight}`;
    return urlProblem("INVALID_VALUE", "target address", text, allowed, "has an invalid weight");
  }
  return weight === 1 ? result : { ...result, weight };
}

/** Gives a dual-end client's tunnel the host that it needs to dial. */
function withHost(tunnel: HostPort, mode: number, findings: Findings): HostPort {
  if (mode !== 2 || tunnel.host !== "" || tunnel === noAddress) return tunnel;
  const fault = "has no host, which mode=2 has to dial";
  const problem = urlProblem("MISSING", "tunnel address", `:${tunnel.port}`, "host:port", fault);
  // Dialling an empty host means this machine in Go, so in NodePass 1.14 too.
  findings.overlook(problem, "127.0.0.1 is used");
  return { host: "127.0.0.1", port: tunnel.port };
}

/** What is said of several servers has to make sense for each of them. */
function checkServers(settings: ServerSettings | ClientSettings, findings: Findings): void {
  if (settings.scheme === "server" || settings.otherServers.length === 0) return;
  const { tunnel, otherServers, mode, keyGiven } = settings;
  const servers = [tunnel, ...otherServers];
  if (servers.includes(noAddress)) return;
  const value = servers.map(formatHostPort).join(",");
  const refuse = (allowed: string, fault: string) =>
    findings.fail(urlProblem("INVALID_VALUE", "tunnel address", value, allowed, fault));
  if (servers.length > mostServers) refuse(`at most ${mostServers}`, "names too many servers");
  if (mode === 1) refuse("one address", "names several servers, but mode=1 has none");
  if (otherServers.some(({ host }) => host === "")) refuse("host:port", "has one without a host");
  const different = new Set(servers.map((server) => formatHostPort(server).toLowerCase()));
  if (different.size < servers.length) refuse("each once", "names a server twice");
  if (!keyGiven && servers.some(({ port }) => port !== tunnel.port)) {
    refuse("a key, or one port", "has several ports, of which no key can be derived");
  }
}

/** Port 0 lets the system choose, so it is for addresses that may be listened on. */
function checkPorts(settings: ServerSettings | ClientSettings, findings: Findings): void {
  const { scheme, mode, tunnel, targets } = settings;
  const refuse = (address: HostPort, parameter: string) => {
    if (address === noAddress || address.port !== 0) return;
    const fault = "has port 0, but is dialled";
    const value = formatHostPort(address);
    findings.fail(urlProblem("INVALID_VALUE", parameter, value, "port 1 to 65535", fault));
  };
  if (scheme === "client" && mode === 2) {
    for (const server of [tunnel, ...settings.otherServers]) refuse(server, "tunnel address");
  }
  // A forward server and a single-end client only dial their targets; an entry listens on the first.
  const listens = scheme === "server" ? mode !== 2 : mode !== 1;
  for (const target of targets.slice(listens ? 1 : 0)) refuse(target, "target address");
}

/** A proxy carries TCP only, so a forwarder that dials its targets through one has no UDP. */
function checkProxy(settings: ServerSettings | ClientSettings, findings: Findings): void {
  if (settings.scheme === "server" || settings.mode !== 1 || settings.via === undefined) return;
  if (!settings.udp) return;
  const fault = "does not reach UDP targets: proxies carry TCP only";
  findings.fail(urlProblem("UNSUPPORTED", "via", "", "noudp=1 beside it", fault));
}

/** What is said of targets needs an end that dials them. */
function checkBalance(settings: ServerSettings | ClientSettings, findings: Findings): void {
  const { scheme, mode, targets, sticky } = settings;
  if (scheme !== "server" || mode !== 1) return;
  const refuse = (parameter: string, value: string) => {
    const fault = "is for who dials targets, but with mode=1 the client does";
    findings.fail(urlProblem("UNSUPPORTED", parameter, value, "", fault));
  };
  const [first] = targets;
  if (first?.weight !== undefined) refuse("target address", formatTarget(first));
  // Dashboards write `lbs=0` into every URL.
  if (sticky) refuse("sticky", "1");
}

/** Users have a range of ports where they connect; who dials needs as many, or one. */
function checkRanges(settings: ServerSettings | ClientSettings, findings: Findings): void {
  const { scheme, mode, tunnel, targets } = settings;
  const refuse = (address: HostPort, parameter: string, fault: string) => {
    const allowed = "as many ports, or one";
    const value = formatHostPort(address);
    findings.fail(urlProblem("UNSUPPORTED", parameter, value, allowed, fault));
  };
  const single = scheme === "client" && mode === 1;
  if (tunnel.lastPort !== undefined && !single) {
    const fault = "has a range of ports, which only a client with mode=1 takes there";
    findings.fail(
      urlProblem("UNSUPPORTED", "tunnel address", formatHostPort(tunnel), "one port", fault),
    );
  }
  for (const server of scheme === "client" ? settings.otherServers : []) {
    if (server.lastPort === undefined) continue;
    const fault = "has a range of ports, but each of several servers has one";
    findings.fail(
      urlProblem("UNSUPPORTED", "tunnel address", formatHostPort(server), "one port", fault),
    );
  }
  const entry = single ? tunnel : undefined;
  for (const target of entry === undefined ? [] : targets) {
    const sizes = [entry, target].map(
      (each) => (each?.lastPort ?? each?.port ?? 0) - (each?.port ?? 0),
    );
    if (target.lastPort !== undefined && sizes[0] !== sizes[1]) {
      refuse(target, "target address", "has a range of another size than the tunnel address");
    }
  }
}

/** Names are asked for over TCP, where users connect. */
function checkHosts(settings: ServerSettings | ClientSettings, findings: Findings): void {
  if (settings.scheme === "client" || settings.hosts.length === 0) return;
  const { mode, tcp, hosts } = settings;
  const fault =
    mode === 2
      ? "is for the users' port, but with mode=2 users connect at the client"
      : tcp
        ? undefined
        : "is of no use with notcp=1: names are asked for over TCP";
  if (fault === undefined) return;
  findings.fail(urlProblem("UNSUPPORTED", "host", hosts.join(","), "", fault));
}

/** A rule for a port that this end does not have would keep nobody out. */
function checkRules(settings: ServerSettings | ClientSettings, findings: Findings): void {
  const { scheme, mode } = settings;
  const absent = scheme === "client" ? "peers" : mode === 2 ? "users" : undefined;
  if (settings.trust.some((item) => /^(?:users|peers):/.test(item)) || absent === "users") {
    const [rule] = settings.trust;
    const fault =
      absent === "users"
        ? "is for the users' port, but with mode=2 users connect at the client"
        : "has an item with users: or peers:, but is for the users' port alone";
    if (rule !== undefined) {
      findings.fail(urlProblem("UNSUPPORTED", "trust", settings.trust.join(","), "", fault));
    }
  }
  if (absent === undefined) return;
  const fault = {
    users: "is for users, but with mode=2 they connect at the client",
    peers: "is for the tunnel port, which a client does not have",
  }[absent];
  for (const name of ["allow", "deny"] as const) {
    for (const rule of settings[name].filter((item) => item.startsWith(`${absent}:`))) {
      findings.fail(urlProblem("UNSUPPORTED", name, rule, "no such item here", fault));
    }
  }
}
