import { findInstance } from "@nodepass/master-client";
import {
  type FleetClient,
  findInFleet,
  findMaster,
  findService,
  type GivenService,
} from "@nodepass/master-client/fleet";
import type { FailoverPolicy, FleetMaster, PartRole, Service } from "@nodepass/model/fleet";
import { pairUrls, UrlConfigError } from "@nodepass/url-config";
import type {
  FleetCreateOptions,
  FleetFailoverOptions,
  FleetMoveOptions,
  FleetPairOptions,
  FleetRemoveOptions,
  NewServiceOptions,
} from "../commands/fleet-services.ts";
import type { CliContext } from "../context.ts";
import { CliError, exitCodes } from "../exit-code.ts";
import { printData } from "../output/print.ts";
import { plainText } from "../output/terminal-text.ts";
import { tryEach } from "../output/try-each.ts";
import { openFleet, openMaster } from "../remote/open-master.ts";
import type { RemoteOptions } from "../remote/remote-options.ts";
import { printService } from "./list-fleet.ts";
import { placeOf } from "./place.ts";
import { serviceToJson } from "./show-service.ts";

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
  await fleet.resumeFailover();
  if (options.json === true) await printData(context, { resumed: true }, options);
  else context.stdout.write("failover goes on\n");
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

/** Runs `nodepass fleet rm`. */
export async function removeFromFleet(
  context: CliContext,
  names: readonly string[],
  options: FleetRemoveOptions,
): Promise<void> {
  if (options.keep === true && options.stop === true) {
    throw new CliError("--keep and --stop exclude each other", { exitCode: exitCodes.usage });
  }
  const { fleet } = await openFleet(context, options);
  const [masters, services] = await Promise.all([fleet.masters(), fleet.services()]);
  // A name that means nothing is most likely a slip: of the others nothing is removed then.
  const found: (readonly [string, ReturnType<typeof findInFleet>])[] = [];
  try {
    await tryEach(context, names, async (name) => {
      found.push([name, findInFleet({ masters, services }, name)]);
    });
  } catch (error) {
    if (names.length > 1) context.stderr.write("nothing was removed\n");
    throw error;
  }
  const removed: string[] = [];
  await tryEach(context, found, async ([name, { master, service }]) => {
    if (master !== undefined) await fleet.removeMaster(master.mid, options.stop);
    if (service !== undefined) await fleet.removeService(service.sid, options.keep);
    removed.push(master?.mid ?? service?.sid ?? name);
    if (options.json === true) return;
    const shown = service === undefined ? shownMaster(master, name) : shownService(service);
    context.stdout.write(`removed ${shown}\n`);
    if (master === undefined) return;
    // A service that was removed just now has no part left there.
    const gone = found.flatMap(([, each]) => each.service?.sid ?? []);
    for (const each of services.filter(({ sid }) => !gone.includes(sid))) {
      for (const { role } of each.parts.filter(({ owner }) => owner === master.mid)) {
        const fate = options.stop === true ? "is told to end" : "stays there, as its own";
        context.stderr.write(`the ${role} of ${shownService(each)} ${fate}\n`);
      }
    }
  });
  if (options.json === true) await printData(context, removed, options);
}

function shownMaster(master: FleetMaster | undefined, name: string): string {
  if (master === undefined) return plainText(name);
  return plainText(master.name === "" ? master.mid : `${master.mid} (${master.name})`);
}

function shownService({ sid, alias }: Service): string {
  return plainText(alias === "" ? sid : `${sid} (${alias})`);
}
