import {
  type FleetClient,
  findInFleet,
  type InstanceQuery,
  type RemoteFleetInstance,
} from "@nodepass/master-client/fleet";
import type { FleetMaster, Service } from "@nodepass/model/fleet";
import type { CliContext } from "../context.ts";
import { printData, printFields, printTable, stdoutStyle } from "../output/print.ts";
import { type Listing, printList } from "../output/print-list.ts";
import { listColumns, toJson } from "../output/show-instance.ts";
import { plainText } from "../output/terminal-text.ts";
import { openFleet } from "../remote/open-master.ts";
import type { RemoteOptions } from "../remote/remote-options.ts";
import { describeMaster, masterColumns } from "./show-master.ts";
import { describeService, namesOf, serviceColumns, serviceToJson } from "./show-service.ts";

/** How what is in a fleet is listed. */
export interface FleetListOptions extends RemoteOptions {
  readonly selector?: string | undefined;
  readonly status?: string | undefined;
  /** mid or name of a master. */
  readonly on?: string | undefined;
  readonly quiet?: boolean | undefined;
  readonly showKey?: boolean | undefined;
}

/** How one thing of a fleet is shown. */
export interface FleetShowOptions extends RemoteOptions {
  readonly showKey?: boolean | undefined;
}

/** Runs `nodepass fleet ls [masters]`. */
export async function listMasters(context: CliContext, options: FleetListOptions): Promise<void> {
  const { fleet } = await openFleet(context, options);
  const { selector, status } = options;
  const listing: Listing<FleetMaster> = {
    rows: await fleet.masters({ selector, status }),
    id: ({ mid }) => mid,
    data: (master) => master,
    columns: (style) => masterColumns(style, Date.now()),
    none: "no masters",
  };
  await printList(context, listing, options);
}

/** Runs `nodepass fleet ls services`. */
export async function listServices(context: CliContext, options: FleetListOptions): Promise<void> {
  const { fleet } = await openFleet(context, options);
  const { selector, status, on } = options;
  const services = await fleet.services({ selector, status, master: on });
  const names = options.json === true ? namesOf([]) : namesOf(await fleet.masters());
  const listing: Listing<Service> = {
    rows: services.map((service) => serviceToJson(service, options)),
    id: ({ sid }) => sid,
    data: (service) => service,
    columns: (style) => serviceColumns(style, names),
    none: "no services",
  };
  await printList(context, listing, options);
}

/** Runs `nodepass fleet ls instances`: of all masters, page by page. */
export async function listFleetInstances(
  context: CliContext,
  options: FleetListOptions,
): Promise<void> {
  const { fleet } = await openFleet(context, options);
  const { selector, status, on } = options;
  const { instances, missing } = await allInstances(fleet, { selector, status, master: on });
  const listing: Listing<RemoteFleetInstance> = {
    rows: instances,
    id: ({ mid, id }) => `${mid}/${id}`,
    data: (instance) => toJson(instance, options),
    columns: (style) => [
      { title: "MASTER", cell: ({ master, mid }) => plainText(master || mid) },
      ...listColumns(style, options),
    ],
    none: "no instances",
  };
  await printList(context, listing, options);
  if (missing.length > 0) {
    const noun = missing.length === 1 ? "master" : "masters";
    context.stderr.write(
      `nodepass: no answer of the ${noun} ${missing.map(plainText).join(", ")}\n`,
    );
  }
}

/** All pages of the instances of all masters. */
async function allInstances(
  fleet: FleetClient,
  query: InstanceQuery,
): Promise<{
  readonly instances: readonly RemoteFleetInstance[];
  readonly missing: readonly string[];
}> {
  const instances: RemoteFleetInstance[] = [];
  const missing = new Set<string>();
  let cursor: string | undefined;
  do {
    const page = await fleet.instances({ ...query, cursor });
    instances.push(...page.instances);
    for (const mid of page.missing) missing.add(mid);
    cursor = page.cursor ?? undefined;
  } while (cursor !== undefined);
  return { instances, missing: [...missing] };
}

/** Runs `nodepass fleet show`: a master with its services, a service, or the fleet. */
export async function showInFleet(
  context: CliContext,
  name: string | undefined,
  options: FleetShowOptions,
): Promise<void> {
  const { fleet } = await openFleet(context, options);
  if (name === undefined) {
    await showFleet(context, fleet, options);
    return;
  }
  const [masters, services] = await Promise.all([fleet.masters(), fleet.services()]);
  const { master, service } = findInFleet({ masters, services }, name);
  if (service !== undefined) await printService(context, service, { ...options, masters });
  else if (master !== undefined && options.json === true) await printData(context, master, options);
  else if (master !== undefined) {
    const own = services.filter(({ parts }) => parts.some(({ owner }) => owner === master.mid));
    printFields(context, describeMaster(master, stdoutStyle(context), Date.now()));
    if (own.length === 0) return;
    context.stdout.write("\n");
    printTable(context, serviceColumns(stdoutStyle(context), namesOf(masters)), own);
  }
}

async function showFleet(
  context: CliContext,
  fleet: FleetClient,
  options: FleetShowOptions,
): Promise<void> {
  const info = await fleet.info();
  if (options.json === true) {
    await printData(context, info, options);
    return;
  }
  const { engine, alarms } = info;
  const { red } = stdoutStyle(context);
  printFields(context, [
    ["fleet", plainText(info.fleet)],
    ["hub", plainText(`${info.hub} at ${fleet.origin}, version ${info.version}`)],
    ["leader", plainText(info.leader ?? "none")],
    [
      "engine",
      engine.connected
        ? plainText(`nats-server ${engine.version}, ${engine.servers} known`)
        : red("not connected"),
    ],
    ["masters", String(info.masters)],
    ["services", String(info.services)],
    ["your role", info.role],
    ...(info.gateway === "" ? [] : ([["gateway", plainText(`*.${info.gateway}`)]] as const)),
    ...alarms.map(
      ({ alarm, message }) => ["alarm", red(plainText(`${alarm}: ${message}`))] as const,
    ),
  ]);
}

/** Prints one service. */
export async function printService(
  context: CliContext,
  service: Service,
  options: FleetShowOptions & { readonly masters: readonly FleetMaster[] },
): Promise<void> {
  if (options.json === true) {
    await printData(context, serviceToJson(service, options), options);
    return;
  }
  const names = namesOf(options.masters);
  printFields(context, describeService(service, stdoutStyle(context), { ...options, names }));
}
