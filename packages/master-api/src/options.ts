import { DEFAULT_MAX_INSTANCES } from "@nodepass/metrics";
import {
  type InstanceService,
  type Logger,
  type MasterService,
  ServiceError,
  SILENT_LOGGER,
} from "@nodepass/model";
import type { Context } from "hono";
import type { AgentOptions } from "./agents/agent-route.ts";
import { type Clock, systemClock } from "./clock.ts";
import { type ReadDocsAsset, readPackagedAsset } from "./docs/assets.ts";
import { type EventLimits, type EventOptions, resolveEventOptions } from "./events/event-limits.ts";
import type { Site } from "./site/site.ts";

/** What an API is made of. */
export interface MasterApiOptions {
  /** The instances behind the API, here or on another machine. */
  readonly instances: InstanceService;
  /** The master behind the API, its key and its host. */
  readonly master: MasterService;
  /** Path in front of every route, with or without a leading slash. @default "/api" */
  readonly prefix?: string | undefined;
  /** @default the system's */
  readonly clock?: Clock | undefined;
  /** Of the program, for `/info`, `/metrics` and the document. @default "0.0.0" */
  readonly version?: string | undefined;
  /** Instances with series of their own in `/metrics`, oldest first. @default 1000 */
  readonly metricsInstances?: number | undefined;
  /** Name of the program, for `impl` of `/info`. @default "nodepass-ts" */
  readonly name?: string | undefined;
  /** Where faults are reported. @default nowhere */
  readonly logger?: Logger | undefined;
  /**
   * Who asks: wrong keys are counted by it.
   * @default `remoteAddress` of the environment given to `app.fetch`, if it is a string
   */
  readonly remoteAddress?: ((context: Context) => string | undefined) | undefined;
  /**
   * Drops the connection of a request at once (with Node's server: destroys the outgoing message).
   * Event readers that are too slow are cut off with it.
   * @default the answer's stream ends in an error, which servers report in their own ways
   */
  readonly disconnect?: ((context: Context) => void) | undefined;
  readonly events?: EventOptions | undefined;
  /** Answers agents under `<prefix>/v2`. @default nobody does: 404 */
  readonly agents?: AgentOptions | undefined;
  /** Where the files of the documentation page come from. @default this package */
  readonly readDocsAsset?: ReadDocsAsset | undefined;
  /** The dashboard, under `<prefix>/ui/` and, if wanted, at `/`. @default none */
  readonly site?: { readonly files: Site; readonly atRoot: boolean } | undefined;
}

export interface ResolvedMasterApiOptions {
  readonly instances: InstanceService;
  readonly master: MasterService;
  /** With a leading and no trailing slash, or empty. */
  readonly prefix: string;
  readonly clock: Clock;
  readonly version: string;
  readonly metricsInstances: number;
  readonly name: string;
  readonly logger: Logger;
  readonly remoteAddress: (context: Context) => string | undefined;
  readonly disconnect: ((context: Context) => void) | undefined;
  readonly events: EventLimits;
  readonly agents: AgentOptions | undefined;
  readonly readDocsAsset: ReadDocsAsset;
  readonly site: MasterApiOptions["site"];
}

const SEGMENTS = /^(?:\/[\w.~-]+)*$/;

/**
 * With a leading and no trailing slash, or empty. The router gives `:`, `*`, `{` and `?` a meaning, so
 * a prefix has none of them.
 *
 * @throws {ServiceError} `INVALID_OPTIONS`
 */
export function resolvePrefix(prefix: string): string {
  const trimmed = prefix.replace(/^\/*/, "/").replace(/\/+$/, "");
  if (SEGMENTS.test(trimmed)) return trimmed;
  throw new ServiceError(
    "INVALID_OPTIONS",
    `prefix ${JSON.stringify(prefix)} has other characters than letters, digits and -._~/`,
  );
}

function environmentAddress(context: Context): string | undefined {
  const environment: unknown = context.env;
  if (typeof environment !== "object" || environment === null) return undefined;
  const address: unknown = Reflect.get(environment, "remoteAddress");
  return typeof address === "string" ? address : undefined;
}

/** Fills in the defaults. @throws {ServiceError} `INVALID_OPTIONS`, naming the option */
export function resolveMasterApiOptions(options: MasterApiOptions): ResolvedMasterApiOptions {
  return {
    instances: options.instances,
    master: options.master,
    prefix: resolvePrefix(options.prefix ?? "/api"),
    clock: options.clock ?? systemClock,
    version: options.version ?? "0.0.0",
    metricsInstances: options.metricsInstances ?? DEFAULT_MAX_INSTANCES,
    name: options.name ?? "nodepass-ts",
    logger: options.logger ?? SILENT_LOGGER,
    remoteAddress: options.remoteAddress ?? environmentAddress,
    disconnect: options.disconnect,
    events: resolveEventOptions(options.events ?? {}),
    agents: options.agents,
    readDocsAsset: options.readDocsAsset ?? readPackagedAsset,
    site: options.site,
  };
}
