import { findLoops } from "./find-loops.ts";
import type { Findings } from "./findings.ts";
import { addressForm, formatHostPort, readHostPort } from "./host-port.ts";
import { parameters } from "./parameters.ts";
import type { ParseDefaults } from "./parse-options.ts";
import { readKey } from "./read-key.ts";
import { openQuery, type QueryReader } from "./read-query.ts";
import { readTlsFiles } from "./read-tls.ts";
import type { ClientSettings, HostPort, ServerSettings, TunnelSettings } from "./settings.ts";
import type { UrlParts } from "./split-url.ts";
import { urlProblem } from "./url-problem.ts";

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
  const servers = [tunnel, ...otherServers];
  for (const server of servers) {
    for (const loop of findLoops({ ...settings, tunnel: server })) findings.fail(loop);
  }
  findings.throwIfFailed();
  return settings;
}

function readShared(query: QueryReader) {
  return {
    readTimeoutMs: query.read(parameters.read),
    rateBytesPerSecond: query.read(parameters.rate),
    proxy: query.read(parameters.proxy),
    slot: query.read(parameters.slot),
    dnsTtlMs: query.read(parameters.dns),
    dial: query.read(parameters.dial),
    block: query.read(parameters.block),
    tcp: query.read(parameters.notcp),
    udp: query.read(parameters.noudp),
    compat: query.read(parameters.compat),
    path: query.read(parameters.path),
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
  const lbs = query.read(parameters.lbs);
  return { ...tls, ...(raised && { tls: 1 as const }), max, type, clients, lbs, lanes };
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
  const result = readHostPort(text, "tunnel address");
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
    const result = readHostPort(item, "target address");
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
