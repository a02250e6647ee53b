import { findInstance } from "@nodepass/master-client";
import {
  type FleetClient,
  findMaster,
  findService,
  type GivenService,
} from "@nodepass/master-client/fleet";
import type { FailoverPolicy, PartRole, Service } from "@nodepass/model/fleet";
import { type PairPlan, pairUrls, UrlConfigError } from "@nodepass/url-config";
import type { CliContext } from "../context.ts";
import { CliError, exitCodes } from "../exit-code.ts";
import { printData } from "../output/print.ts";
import { plainText } from "../output/terminal-text.ts";
import { tryEach } from "../output/try-each.ts";
import { openFleet, openMaster } from "../remote/open-master.ts";
import type { RemoteOptions } from "../remote/remote-options.ts";
import { printService } from "./list-fleet.ts";
import { placeOf } from "./place.ts";
import { serviceToJson, shownService } from "./show-service.ts";

/** What is said of a new service, whichever way it is made. */
export interface NewServiceOptions extends RemoteOptions {
  readonly alias?: string | undefined;
  readonly tag?: Readonly<Record<string, string>> | undefined;
  readonly start: boolean;
  readonly failover?: FailoverPolicy | undefined;
  /** Seconds. */
  readonly ttl?: number | undefined;
  readonly failback?: boolean | undefined;
  readonly showKey?: boolean | undefined;
}

/** Options of `fleet create`. */
export interface FleetCreateOptions extends NewServiceOptions {
  readonly on: readonly string[];
  readonly spread?: string | undefined;
}

/** Options of `fleet pair`. */
export interface FleetPairOptions extends NewServiceOptions, Omit<PairPlan, "tls"> {
  readonly tls: boolean;
  /** Where each end runs: a master or a selector. */
  readonly server: string;
  readonly client: string;
}

/** Options of `fleet move`. */
export interface FleetMoveOptions extends RemoteOptions {
  readonly to: string;
  readonly part?: PartRole | undefined;
  readonly force?: boolean | undefined;
  readonly showKey?: boolean | undefined;
}

/** Options of `fleet failover set`. */
export interface FleetFailoverOptions extends RemoteOptions {
  readonly ttl?: number | undefined;
  readonly failback?: boolean | undefined;
}

/** Runs `nodepass fleet create`. */
export async function createFleetService(
  context: CliContext,
  urls: readonly string[],
  options: FleetCreateOptions,
): Promise<void> {
  const { on, spread, start } = options;
  if (on.length !== urls.length) {
    throw new CliError(
      `${urls.length} URLs need ${urls.length} --on, one each; given: ${on.length}`,
      {
        exitCode: exitCodes.usage,
      },
    );
  }
  const parts = urls.map((url, at) => ({
    ...{ url, running: start },
    ...placeOf(on[at] ?? ""),
    ...(spread !== undefined && { spread }),
  }));
  await createAndPrint(context, parts, options);
}

/** Runs `nodepass fleet pair`. */
export async function createPair(context: CliContext, options: FleetPairOptions): Promise<void> {
  const { server, client } = urlsOf(options);
  const running = options.start;
  await createAndPrint(
    context,
    [
      { role: "server", url: server, running, ...placeOf(options.server) },
      { role: "client", url: client, running, ...placeOf(options.client) },
    ],
    options,
  );
}

/** @throws {CliError} usage for an address that is none */
function urlsOf({ entry, target, flow, tls }: FleetPairOptions): ReturnType<typeof pairUrls> {
  try {
    return pairUrls({ entry, target, flow, tls: tls ? "1" : "0" });
  } catch (error) {
    if (!(error instanceof UrlConfigError)) throw error;
    throw new CliError(`--${error.message}`, { exitCode: exitCodes.usage });
  }
}

async function createAndPrint(
  context: CliContext,
  parts: GivenService["parts"],
  options: NewServiceOptions,
): Promise<void> {
  const { fleet } = await openFleet(context, options);
  const { alias, tag, failover = "off" } = options;
  const policy = { ttl: 15, failback: "never" as const, failover, ...policyOf(options) };
  const made = await fleet.createService({
    parts,
    policy,
    ...(alias !== undefined && { alias }),
    ...(tag !== undefined && { tags: tag }),
  });
  await report(context, fleet, made, options);
}

function policyOf({ ttl, failback }: FleetFailoverOptions) {
  return {
    ...(ttl !== undefined && { ttl }),
    ...(failback !== undefined && ({ failback: failback ? "healthy" : "never" } as const)),
  };
}

/**
 * Prints a service that was changed; one that does not run as it should is a failure.
 *
 * @param moved the end that was: the other one is in error for as long as the move waits
 */
async function report(
  context: CliContext,
  fleet: FleetClient,
  service: Service,
  options: RemoteOptions & { readonly showKey?: boolean | undefined },
  moved?: PartRole | undefined,
): Promise<void> {
  const masters = options.json === true ? [] : await fleet.masters();
  await printService(context, service, { ...options, masters });
  const isWaiting = service.parts.some(({ role, state }) => role === moved && state === "pending");
  const failed = service.parts.find(({ state }) => state === "failed" && !isWaiting);
  if (failed === undefined) return;
  throw new CliError(`the ${failed.role} failed: ${plainText(failed.reason) || "no reason given"}`);
}

/** Runs `nodepass fleet move`. */
export async function moveService(
  context: CliContext,
  name: string,
  options: FleetMoveOptions,
): Promise<void> {
  const { fleet } = await openFleet(context, options);
  const { sid, parts } = findService(await fleet.services(), name);
  const { part, to, force } = options;
  if (part === undefined && parts.length > 1) {
    throw new CliError("which end is to be moved? --part server or --part client", {
      exitCode: exitCodes.usage,
    });
  }
  const place = placeOf(to);
  const moved = await fleet.moveService(sid, {
    ...("master" in place ? { to: place.master } : place),
    ...(part !== undefined && { part }),
    ...(force === true && { force }),
  });
  await report(context, fleet, moved, options, part ?? parts[0]?.role);
}

/** Runs `nodepass fleet start` and `stop`. */
export async function setRunning(
  context: CliContext,
  names: readonly string[],
  running: boolean,
  options: RemoteOptions,
): Promise<void> {
  const { fleet } = await openFleet(context, options);
  const services = await fleet.services();
  const changed: Service[] = [];
  await tryEach(context, names, async (name) => {
    const { sid, parts } = findService(services, name);
    const wanted = parts.map(({ role }) => ({ role, running }));
    const service = await fleet.changeService(sid, { parts: wanted });
    changed.push(service);
    if (options.json !== true) {
      context.stdout.write(`${running ? "started" : "stopped"} ${shownService(service)}\n`);
    }
  });
  if (options.json === true) {
    await printData(
      context,
      changed.map((service) => serviceToJson(service, {})),
      options,
    );
  }
}

/** Runs `nodepass fleet failover set`. */
export async function setFailover(
  context: CliContext,
  name: string,
  failover: FailoverPolicy,
  options: FleetFailoverOptions,
): Promise<void> {
  const { fleet } = await openFleet(context, options);
  const { sid } = findService(await fleet.services(), name);
  const changed = await fleet.changeService(sid, {
    policy: { failover, ...policyOf(options) },
  });
  await report(context, fleet, changed, options);
}

/** Runs `nodepass fleet failover resume`. */
export async function resumeFailover(context: CliContext, options: RemoteOptions): Promise<void> {
  const { fleet } = await openFleet(context, options);
  const { alarms } = await fleet.info();
  const resumed = alarms.some(({ alarm }) => alarm === "mass-loss");
  // Whatever this hub knows: another one may have raised it just now.
  await fleet.resumeFailover();
  if (options.json === true) await printData(context, { resumed }, options);
  else if (resumed) context.stdout.write("failover goes on\n");
  else context.stdout.write("failover was not held: no alarm mass-loss is raised\n");
}

/** Runs `nodepass fleet adopt`. */
export async function adopt(
  context: CliContext,
  masterName: string,
  names: readonly string[],
  options: RemoteOptions,
): Promise<void> {
  const { fleet, choice } = await openFleet(context, options);
  const { mid } = findMaster(await fleet.masters(), masterName);
  const { profile, ...rest } = options;
  const hub = profile ?? options.master ?? choice.profile ?? choice.address.origin;
  const { client } = await openMaster(context, { ...rest, master: `${mid}@${hub}` });
  const instances = await client.list();
  const adopted: Service[] = [];
  await tryEach(context, names, async (name) => {
    const service = await fleet.adopt(mid, findInstance(instances, name).id);
    adopted.push(service);
    if (options.json !== true) context.stdout.write(`adopted ${shownService(service)}\n`);
  });
  if (options.json === true) {
    await printData(
      context,
      adopted.map((service) => serviceToJson(service, {})),
      options,
    );
  }
}
