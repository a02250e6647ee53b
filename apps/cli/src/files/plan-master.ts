import type { LoadedConfig } from "@nodepass/config-file";
import { type ActualInstance, instanceHost, OWNER_TAG } from "@nodepass/desired-state";
import { redact } from "@nodepass/url-config";
import { CliError } from "../exit-code.ts";
import type { OpenedTarget } from "../remote/open-master.ts";
import { OF_FLEET, type PlanFilesOptions, type Planned, planAt } from "./plan-at.ts";

/** What files and a master differ in. @throws {CliError} for tunnels of a fleet */
export async function planMaster(
  { tunnels, services }: LoadedConfig,
  { master, instances }: Extract<OpenedTarget, { readonly master: unknown }>,
  options: PlanFilesOptions,
): Promise<Planned> {
  const [first = "", ...rest] = services.map(
    ({ name, origin: { file, line } }) =>
      `${file}:${line}: tunnels.${name}: is for a fleet (allowed at a master: tunnels that say not where they run)`,
  );
  if (first !== "") throw new CliError(first, { details: rest });
  const all =
    master.member === undefined ? instances : await withoutFleet(instances, master.member);
  const host = { ...instanceHost(master.client), list: async () => all };
  return planAt(host, tunnels, options, ({ url }) => redact(url));
}

/** What the master runs for its fleet bears the marks of files that were applied to the hub. */
async function withoutFleet(
  instances: readonly ActualInstance[],
  { fleet, mid }: NonNullable<Extract<OpenedTarget, { master: unknown }>["master"]["member"]>,
): Promise<readonly ActualInstance[]> {
  const services = await fleet.services({ master: mid });
  const ids = new Set(
    services.flatMap(({ parts }) =>
      parts.flatMap(({ owner, instance }) =>
        owner === mid && instance !== null ? [instance] : [],
      ),
    ),
  );
  return instances.map((instance) =>
    ids.has(instance.id)
      ? { ...instance, tags: { ...instance.tags, [OWNER_TAG]: OF_FLEET } }
      : instance,
  );
}
