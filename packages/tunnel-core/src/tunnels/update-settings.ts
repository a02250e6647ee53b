import {
  type ClientSettings,
  format,
  parseTunnelUrl,
  type ServerSettings,
  UrlConfigError,
} from "@nodepass/url-config";
import { openGate, openTrust } from "../access/address-gate.ts";
import { TunnelError } from "../errors.ts";
import { type Facing, localConnectionRates, localRates } from "../rate/local-rates.ts";
import { TokenBucket } from "../rate/token-bucket.ts";
import { checkCertificateFiles } from "../tls/certificate-files.ts";
import type { Tunnel, TunnelChanges } from "../tunnel.ts";
import { inspectionOf, type LiveContext } from "./create-context.ts";

type Settings = ServerSettings | ClientSettings;
type Name = keyof TunnelChanges;

/** What can change while a tunnel runs. */
const CHANGEABLE: Readonly<Record<Name, true>> = {
  rateBytesPerSecond: true,
  rateDownBytesPerSecond: true,
  connectionRates: true,
  slot: true,
  slotPerAddress: true,
  udpIdleMs: true,
  readTimeoutMs: true,
  dnsTtlMs: true,
  log: true,
  targets: true,
  block: true,
  proxy: true,
  proxyVersion: true,
  allow: true,
  deny: true,
  trust: true,
  min: true,
  max: true,
  crt: true,
  keyFile: true,
};
const NAMES = Object.keys(CHANGEABLE) as Name[];

/**
 * What `update` can do to get from one settings to others.
 *
 * @param isEntry whether this end takes the users: its target address is where it listens
 * @returns the changes, none if nothing differs; `undefined` if something differs that can't change
 *   while the tunnel runs
 * @example
 * const changes = changesBetween(tunnel.settings, parseTunnelUrl(url), true);
 */
export function changesBetween(
  before: Settings,
  after: Settings,
  isEntry: boolean,
): TunnelChanges | undefined {
  if (before.scheme !== after.scheme) return undefined;
  const given = new Map<string, unknown>(Object.entries(after));
  const old = new Map<string, unknown>(Object.entries(before));
  const differing = NAMES.filter(
    (name) =>
      given.get(name) !== undefined &&
      JSON.stringify(given.get(name)) !== JSON.stringify(old.get(name)),
  );
  if (isEntry && differing.includes("targets")) return undefined;
  const changes: TunnelChanges = Object.fromEntries(
    differing.map((name) => [name, given.get(name)]),
  );
  if (differing.includes("rateDownBytesPerSecond")) {
    // One number is for both directions: it has to be said, though one of the two may be as it was.
    Object.assign(changes, { rateBytesPerSecond: after.rateBytesPerSecond });
  }
  // All the rest has to be the same, whatever it is.
  return format({ ...before, ...changes } as Settings) === format(after) ? changes : undefined;
}

/**
 * Makes a running tunnel what `after` says, if nothing needs to be closed for it.
 *
 * @returns whether it is now; if not, it is as it was, and `openTunnel` with `takeOver` replaces it
 * @example
 * if (!changeInPlace(tunnel, settings)) tunnel = await openTunnel(settings, { takeOver: tunnel });
 */
export function changeInPlace(tunnel: Tunnel, after: Settings): boolean {
  const isSingleEnd = after.scheme === "client" && tunnel.mode === 1;
  const isEntry = tunnel.entryAddress !== undefined && !isSingleEnd;
  const changes = changesBetween(tunnel.settings, after, isEntry);
  if (changes === undefined) return false;
  try {
    tunnel.update(changes);
    return true;
  } catch (error) {
    // It closes by itself at this moment, or its role has just turned.
    if (error instanceof TunnelError) return false;
    throw error;
  }
}

/**
 * Changes a running tunnel; what is open goes on, by the new settings.
 *
 * @param settings those in force, which are changed
 * @throws {TunnelError} `INVALID_OPTIONS`, `CERTIFICATE_INVALID`; nothing is changed then
 */
export function updateSettings(
  context: LiveContext,
  settings: Settings,
  changes: TunnelChanges,
  isEntry: boolean,
): void {
  const names = Object.keys(changes).filter((name) => changes[name as Name] !== undefined);
  const unknown = names.find((name) => !NAMES.some((known) => known === name));
  if (unknown !== undefined) {
    throw new TunnelError(
      "INVALID_OPTIONS",
      `${unknown} can't be changed while the tunnel runs (allowed: ${NAMES.join(", ")})`,
    );
  }
  const foreign = names.find((name) => !(name in settings));
  if (foreign !== undefined) {
    throw new TunnelError("INVALID_OPTIONS", `${foreign} is no setting of a ${settings.scheme}`);
  }
  if (isEntry && changes.targets !== undefined) {
    throw new TunnelError(
      "INVALID_OPTIONS",
      "targets can't be changed at the end where users connect",
    );
  }
  const given: TunnelChanges = Object.fromEntries(
    names.map((name) => [name, changes[name as Name]]),
  );
  const { rateBytesPerSecond: rate, rateDownBytesPerSecond: down } = given;
  // One number is for both directions.
  if (rate !== undefined && down === undefined)
    Object.assign(given, { rateDownBytesPerSecond: down });
  const after = { ...settings, key: settings.key, ...given } as Settings;
  check(after);
  if (after.scheme === "server" && after.tls === 2) {
    const { crt = "", keyFile = "" } = after;
    if (names.includes("crt") || names.includes("keyFile"))
      checkCertificateFiles({ certPath: crt, keyPath: keyFile });
  }
  const gates = gatesOf(context, after, changes);
  Object.assign(settings, given);
  Object.assign(context, gates);
  apply(context, settings, given);
}

/** The gates of other lists; they may read files, so before anything is changed. */
function gatesOf(
  context: LiveContext,
  after: Settings,
  { allow, deny, trust }: TunnelChanges,
): Partial<Pick<LiveContext, "userGate" | "peerGate" | "trust">> {
  const trusted = trust === undefined ? {} : { trust: openTrust(context, after) };
  if (allow === undefined && deny === undefined) return trusted;
  return {
    ...trusted,
    userGate: openGate(context, after, "users", undefined),
    peerGate: openGate(context, after, "peers", context.bans),
  };
}

/** `log`, `proxy`, `min`, `max`, `crt` and `keyFile` are looked at when they are needed. */
function apply(context: LiveContext, settings: Settings, changes: TunnelChanges): void {
  const { slot, slotPerAddress, readTimeoutMs, udpIdleMs, dnsTtlMs, targets, block } = changes;
  if ("rateDownBytesPerSecond" in changes) setRates(context, settings);
  if (changes.connectionRates !== undefined) {
    context.connectionRates = localConnectionRates(settings, context.facing);
  }
  if (slotPerAddress !== undefined) context.slots.setPerAddress(slotPerAddress);
  if (udpIdleMs !== undefined) {
    context.udpSessions.setIdleTimeout(udpIdleMs || context.limits.udpReadTimeoutMs);
  }
  if (slot !== undefined) context.slots.setLimit(slot);
  if (readTimeoutMs !== undefined) context.tcpRelays.setIdleTimeout(readTimeoutMs);
  if (dnsTtlMs !== undefined) context.names.setTtl(dnsTtlMs);
  if (targets !== undefined) for (const health of context.health) health.setTargets(targets);
  if (block !== undefined) context.inspection = inspectionOf(block);
}

/** As a URL they have to be fine, too: the same words, the same limits. */
function check(settings: Settings): void {
  const { rateBytesPerSecond, rateDownBytesPerSecond, connectionRates } = settings;
  const rates = {
    rateBytesPerSecond,
    rateDownBytesPerSecond: rateDownBytesPerSecond ?? 0,
    ...connectionRates,
  };
  for (const [name, rate] of Object.entries(rates)) {
    if (Number.isFinite(rate) && rate >= 0) continue;
    throw new TunnelError("INVALID_OPTIONS", `${name} is ${rate} (allowed: a number, 0 or more)`);
  }
  try {
    // A URL knows whole Mbit/s only; a program may want others.
    const none = { upBytesPerSecond: 0, downBytesPerSecond: 0 };
    parseTunnelUrl(
      format({
        ...settings,
        rateBytesPerSecond: 0,
        rateDownBytesPerSecond: undefined,
        connectionRates: none,
      }),
    );
  } catch (error) {
    if (!(error instanceof UrlConfigError)) throw error;
    throw new TunnelError("INVALID_OPTIONS", error.message, { cause: error });
  }
}

/** The end has found out whose side it is on. */
export function setFacing(context: LiveContext, settings: Settings, facing: Facing): void {
  if (context.facing === facing) return;
  context.facing = facing;
  context.connectionRates = localConnectionRates(settings, facing);
  if (settings.rateDownBytesPerSecond !== undefined) setRates(context, settings);
}

function setRates(context: LiveContext, settings: Settings): void {
  const rates = localRates(settings, context.facing);
  const { inbound, outbound } = context;
  context.inbound = withRate(inbound, rates.inbound);
  context.outbound = withRate(outbound, rates.outbound);
  for (const open of [context.tcpRelays, context.udpSessions]) {
    open.limitsChanged();
  }
  // Last: whoever is called finds no limit any more.
  if (context.inbound === undefined) inbound?.lift();
  if (context.outbound === undefined) outbound?.lift();
}

function withRate(bucket: TokenBucket | undefined, rate: number): TokenBucket | undefined {
  if (rate === 0) return undefined;
  if (bucket === undefined) return new TokenBucket(rate);
  bucket.setRate(rate);
  return bucket;
}
