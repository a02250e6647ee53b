import type { ConfiguredService, LoadedConfig } from "@nodepass/config-file";
import { type DesiredService, serviceHost } from "@nodepass/desired-state/fleet";
import { MasterClientError } from "@nodepass/master-client";
import { type FleetClient, findMaster } from "@nodepass/master-client/fleet";
import { DEFAULT_POLICY, type FleetMaster, type Service } from "@nodepass/model/fleet";
import { redact, splitUrl } from "@nodepass/url-config";
import type { CliContext } from "../context.ts";
import { CliError, exitCodes } from "../exit-code.ts";
import { plainText } from "../output/terminal-text.ts";
import { type PlanFilesOptions, type Planned, planAt } from "./plan-at.ts";
import { serviceFaults, shownParts } from "./service-entries.ts";

/** What files and a fleet differ in. @throws {CliError} with all that the files say wrong for a fleet */
export async function planFleet(
  context: CliContext,
  { tunnels, services }: LoadedConfig,
  fleet: FleetClient,
  options: PlanFilesOptions,
): Promise<Planned> {
  const faults: Fault[] = tunnels.map(({ name, origin }) => ({
    text: `${origin.file}:${origin.line}: tunnels.${name}: says not where it runs (allowed at a fleet: on, selector, pair)`,
    exitCode: exitCodes.failure,
  }));
  for (const service of services) {
    for (const text of serviceFaults(service)) faults.push({ text, exitCode: exitCodes.failure });
  }
  const masters = await fleet.masters();
  const desired = services.map((service) => toDesired(service, masters, faults));
  const [first, ...rest] = faults;
  if (first !== undefined) {
    const { text, exitCode } = first;
    throw new CliError(text, { exitCode, details: rest.map((each) => each.text) });
  }
  const actual = await fleet.services();
  if (hidesKeys(desired, actual)) {
    const why = "this token is shown no keys: whether one differs from the file's is not seen";
    context.stderr.write(`nodepass: ${why}\n`);
  }
  const entries = new Map(services.map((service) => [service.name, service]));
  return planAt(serviceHost(fleet, masters), desired, options, ({ name }) => {
    const entry = entries.get(name);
    return entry === undefined ? "" : shownParts(entry, redact).join(", ");
  });
}

interface Fault {
  readonly text: string;
  readonly exitCode: number;
}

function toDesired(
  { name, tags, start, policy, parts, origin }: ConfiguredService,
  masters: readonly FleetMaster[],
  faults: Fault[],
): DesiredService {
  const { failover = "off", ttl = DEFAULT_POLICY.ttl, failback = false } = policy;
  return {
    ...{ name, tags, start },
    policy: { failover, ttl, failback: failback ? "healthy" : "never" },
    parts: parts.map(({ on, ...part }) => {
      if (on === undefined) return part;
      try {
        return { ...part, master: findMaster(masters, on).mid };
      } catch (error) {
        if (!(error instanceof MasterClientError)) throw error;
        const text = `${origin.file}:${origin.line}: tunnels.${name}: ${plainText(error.message)}`;
        faults.push({ text, exitCode: exitCodes.notFound });
        return part;
      }
    }),
  };
}

/** Whether a key that a file gives can't be compared. */
function hidesKeys(desired: readonly DesiredService[], actual: readonly Service[]): boolean {
  const keyed = new Set(
    desired.flatMap(({ name, parts }) =>
      parts.some(({ url }) => splitUrl(url).userInfo !== undefined) ? [name] : [],
    ),
  );
  return actual.some(
    ({ alias, parts }) =>
      keyed.has(alias) && parts.some(({ url }) => splitUrl(url).userInfo === "***"),
  );
}
