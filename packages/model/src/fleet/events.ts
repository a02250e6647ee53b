import { z } from "zod";
import { FLEET_ROLES } from "./access.ts";
import { FleetInstanceSchema, FleetMasterSchema } from "./masters.ts";
import { PART_ROLES, ServiceSchema } from "./services.ts";

/** What is wrong with a fleet as a whole, till it is over or a person says so. */
export const ALARMS = ["mass-loss", "store-older", "duplicate", "flood", "engine"] as const;
export type Alarm = (typeof ALARMS)[number];

const time = z.iso.datetime();

/**
 * What readers of `GET /fleet/events` are told, as `data` of SSE events named `fleet`. First each
 * master and service as it is, with `initial`, then what changes.
 */
export const FleetEventSchema = z
  .discriminatedUnion("type", [
    z.object({
      type: z.enum(["initial", "master"]),
      time,
      master: FleetMasterSchema,
      message: z.string(),
    }),
    z.object({ type: z.literal("masterRemoved"), time, mid: z.string(), message: z.string() }),
    z.object({
      type: z.enum(["initialService", "service"]),
      time,
      service: ServiceSchema,
      message: z.string(),
    }),
    z.object({ type: z.literal("serviceRemoved"), time, sid: z.string(), message: z.string() }),
    z.object({
      type: z.literal("failover"),
      time,
      sid: z.string(),
      part: z.enum(PART_ROLES),
      from: z.union([z.string(), z.null()]),
      to: z.union([z.string(), z.null()]),
      message: z.string(),
    }),
    z.object({
      type: z.literal("alarm"),
      time,
      alarm: z.enum(ALARMS),
      raised: z.boolean(),
      message: z.string(),
    }),
    z.object({
      type: z.enum(["instance", "instanceRemoved"]),
      time,
      instance: FleetInstanceSchema,
    }),
    z.object({ type: z.literal("shutdown"), time }),
  ])
  .meta({ id: "FleetEvent" });
export type FleetEvent = z.infer<typeof FleetEventSchema>;

/** `GET /fleet`: the fleet itself. */
export const FleetInfoSchema = z
  .object({
    fleet: z.string(),
    hub: z.string().meta({ description: "Id of the hub that answers" }),
    leader: z.union([z.string(), z.null()]).meta({ description: "Id of the hub that leads" }),
    engine: z.object({ connected: z.boolean(), version: z.string(), servers: z.int().min(0) }),
    version: z.string(),
    masters: z.int().min(0),
    services: z.int().min(0),
    alarms: z.array(z.object({ alarm: z.enum(ALARMS), message: z.string() })).readonly(),
    role: z.enum(FLEET_ROLES).meta({ description: "Of the token that asks" }),
    gateway: z.string().meta({
      description: "Suffix of the host names `{mid}.<suffix>`; empty where there is none",
    }),
  })
  .meta({ id: "FleetInfo" });
export type FleetInfo = z.infer<typeof FleetInfoSchema>;
