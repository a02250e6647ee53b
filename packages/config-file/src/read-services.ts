import { fillAuto, pairUrls, parseTunnelUrl, splitUrl, UrlConfigError } from "@nodepass/url-config";
import { ADDRESS_FORM, FLEET_FIELDS, fieldOf, type PairEntry } from "./config-schema.ts";
import type { ExportedService, FilePart, FilePolicy } from "./exported-service.ts";
import type { ConfigPath, SourceFile } from "./source-file.ts";
import { addressText, defaultsFor, parametersOf, withParameters } from "./tunnel-url.ts";

/** A tunnel that shall be there, wherever in a fleet its entry lets it run. */
export interface ConfiguredService extends ExportedService {
  /** Where it is described. */
  readonly origin: { readonly file: string; readonly line: number };
}

/** What an entry says of where it runs. */
type Place = Pick<FilePart, "on" | "selector" | "spread">;

/** The first field of an entry that only a fleet's hub understands. */
export function fleetFieldOf(entry: object): string | undefined {
  return FLEET_FIELDS.find((field) => field in entry);
}

/** Of one end with its URL; what is wrong with it goes into the source's problems. */
export function placedPart(
  url: string,
  place: Place,
  source: SourceFile,
  at: ConfigPath,
): FilePart | undefined {
  const { on, selector, spread } = place;
  const fail = (field: string, fault: string): undefined => {
    source.fail(field === "" ? at : [...at, field], fault);
    return undefined;
  };
  if (on === undefined && selector === undefined) {
    return fail("", 'says not where it runs (allowed: on, selector; of any master: selector: "")');
  }
  if (on !== undefined && /[=!,]|^$/.test(on)) {
    const hint = on === "" ? "" : "; labels stand in selector";
    return fail("on", `${JSON.stringify(on)} is no master (allowed: its name or mid${hint})`);
  }
  if (on !== undefined && spread !== undefined) {
    return fail("spread", "has no effect beside on (allowed: with selector only)");
  }
  return {
    role: splitUrl(url).scheme === "server" ? "server" : "client",
    url,
    ...(on !== undefined && { on }),
    ...(selector !== undefined && { selector }),
    ...(spread !== undefined && { spread }),
  };
}

/** What an entry says of a lost master; what is wrong with it goes into the source's problems. */
export function readPolicy(
  { failover, ttl, failback }: FilePolicy,
  source: SourceFile,
  at: ConfigPath,
): FilePolicy {
  for (const [field, value] of Object.entries({ ttl, failback })) {
    if (value === undefined || (failover ?? "off") !== "off") continue;
    source.fail([...at, field], "has no effect without failover (allowed with it: serve, strict)");
  }
  return {
    ...(failover !== undefined && { failover }),
    ...(ttl !== undefined && { ttl }),
    ...(failback !== undefined && { failback }),
  };
}

/** Both ends of a pair; `undefined` if something is wrong, which goes into the source's problems. */
export function readPair(
  entry: PairEntry,
  defaults: ReadonlyMap<string, string>,
  source: SourceFile,
  at: ConfigPath,
): FilePart[] | undefined {
  const before = source.problems.length;
  const written = endsByUrl(entry, source, at);
  const urls =
    written ??
    (source.problems.length > before ? undefined : endsByWay(entry, defaults, source, at));
  if (urls === undefined) return undefined;
  const parts = (["server", "client"] as const).flatMap((role) => {
    const path = [...at, "pair", role];
    const { url: _, ...end } = entry.pair[role];
    const given = new Map([...defaultsFor(role, defaults), ...parametersOf(end)]);
    const url = withParameters(urls[role], given);
    if (!checkUrl(url, entry, source, at, role)) return [];
    return placedPart(url, end, source, path) ?? [];
  });
  return parts.length === 2 && source.problems.length === before ? parts : undefined;
}

type Ends = Readonly<Record<"server" | "client", string>>;

/** By URLs; `undefined`: by the way from `entry` to `target`, or wrong. */
function endsByUrl(
  { pair, ...way }: PairEntry,
  source: SourceFile,
  at: ConfigPath,
): Ends | undefined {
  const [server, client] = [pair.server.url, pair.client.url];
  if (server === undefined && client === undefined) return undefined;
  const fail = (path: ConfigPath, fault: string) => source.fail([...at, ...path], fault);
  for (const [role, url] of Object.entries({ server, client })) {
    const path = ["pair", role, "url"];
    if (url === undefined) fail(["pair", role], "has no url, but the other end has");
    else if (splitUrl(url).scheme !== role) fail(path, `is no ${role}'s (allowed: ${role}://…)`);
    else if (splitUrl(url).userInfo !== undefined)
      fail(path, "has a key (allowed: none, the hub makes it)");
  }
  for (const field of ["entry", "target", "flow"] as const) {
    if (way[field] !== undefined)
      fail([field], "is not for ends with URLs, which say it themselves");
  }
  return server === undefined || client === undefined ? undefined : { server, client };
}

function endsByWay(
  { pair, entry, target, flow = "reverse" }: PairEntry,
  defaults: ReadonlyMap<string, string>,
  source: SourceFile,
  at: ConfigPath,
): Ends | undefined {
  if (entry === undefined)
    source.fail([...at, "entry"], "is missing (allowed: :port, host:port, or auto for the port)");
  if (target === undefined)
    source.fail([...at, "target"], `is missing (allowed: ${ADDRESS_FORM}; several in a list)`);
  if (entry === undefined || target === undefined) return undefined;
  const [users, service] = [addressText(entry), addressText(target)];
  for (const [field, address] of Object.entries({ entry: users, target: service })) {
    if (!("bad" in address)) continue;
    source.fail([...at, field], `address "${address.bad}" is not valid (allowed: ${ADDRESS_FORM})`);
  }
  if ("bad" in users || "bad" in service) return undefined;
  const tls = parametersOf(pair.server).get("tls") ?? defaults.get("tls");
  try {
    return pairUrls({ entry: users.text, target: service.text, flow, tls });
  } catch (error) {
    if (!(error instanceof UrlConfigError)) throw error;
    for (const { parameter, message } of error.problems) source.fail([...at, parameter], message);
    return undefined;
  }
}

/** Whether the URL can be read once the hub has filled it in. */
function checkUrl(
  url: string,
  entry: PairEntry,
  source: SourceFile,
  at: ConfigPath,
  role: "server" | "client",
): boolean {
  try {
    parseTunnelUrl(fillAuto(url));
    return true;
  } catch (error) {
    if (!(error instanceof UrlConfigError)) throw error;
    const end = [...at, "pair", role];
    for (const { parameter, message } of error.problems) {
      const fields = ["url", fieldOf(parameter)];
      const field = fields.find((each) => each in entry.pair[role]);
      source.fail(field === undefined ? end : [...end, field], message);
    }
    return false;
  }
}
