import { z } from "zod";
import { InstanceSchema } from "../schemas/instance.ts";
import { shortText } from "../schemas/text.ts";
import { givenObject } from "./given.ts";
import { LabelsSchema } from "./labels.ts";

/**
 * `online`: heard of within three heartbeats; `late`: not since; `lost`: given up (its time for
 * failover is over); `new`: it has joined and was never heard of.
 */
export const MASTER_STATUSES = ["online", "late", "lost", "new"] as const;

/** What a member accepts from its hub: changes of managed instances, requests that write, that read. */
export const MEMBER_PERMISSIONS = ["apply", "api", "read"] as const;
export type MemberPermission = (typeof MEMBER_PERMISSIONS)[number];

const count = () => z.int().min(0);
const bytes = () => z.number().min(0);

/** A master of a fleet. */
export const FleetMasterSchema = z
  .object({
    mid: z.string().meta({ description: "16 hexadecimal digits, as in `/info`" }),
    name: z.string(),
    labels: LabelsSchema,
    revision: z
      .string()
      .meta({ description: "Of name, labels, address, draining; for `If-Match`" }),
    address: z.string().meta({
      description: "Host name or IP address under which its tunnels are reached; may be empty",
    }),
    status: z.enum(MASTER_STATUSES),
    lastSeen: z.union([z.iso.datetime(), z.null()]),
    joined: z.iso.datetime(),
    version: z.string().meta({ description: "Of its program; empty while it was never heard of" }),
    allow: z.array(z.enum(MEMBER_PERMISSIONS)).readonly().meta({
      description: "What it accepts from its hub, by its own settings",
    }),
    draining: z.boolean().meta({ description: "Nothing new is placed on it" }),
    duplicate: z.boolean().meta({ description: "Another process has its identity, too" }),
    instances: z.object({ running: count(), stopped: count(), error: count() }),
    parts: count().meta({ description: "Parts of services that it owns" }),
    drift: count().meta({ description: "Parts that do not run as their service says" }),
    traffic: z.object({ tcprx: bytes(), tcptx: bytes(), udprx: bytes(), udptx: bytes() }),
    cpu: z.number().meta({ description: "Of its machine, %; -1 if not known" }),
    memory: bytes().meta({ description: "Resident set of its process, bytes" }),
  })
  .meta({ id: "FleetMaster" });
export type FleetMaster = z.infer<typeof FleetMasterSchema>;
export type MasterStatus = FleetMaster["status"];

/** `PATCH /fleet/masters/{mid}`: what is absent stays. */
export const FleetMasterChangeSchema = givenObject({
  name: shortText().optional(),
  labels: LabelsSchema.optional().meta({ description: "Replaces all labels" }),
  address: shortText()
    .optional()
    .meta({ description: "Host name or IP address without a port; empty: none" }),
  draining: z.boolean().optional(),
}).meta({ id: "FleetMasterChange" });
export type FleetMasterChange = z.infer<typeof FleetMasterChangeSchema>;

/** An instance of any master. */
export const FleetInstanceSchema = InstanceSchema.extend({
  mid: z.string(),
  master: z.string().meta({ description: "Name of its master" }),
  sid: z.union([z.string(), z.null()]).meta({ description: "The service that it is a part of" }),
}).meta({ id: "FleetInstance" });
export type FleetInstance = z.infer<typeof FleetInstanceSchema>;

/** `GET /fleet/instances`. */
export const FleetInstancesSchema = z
  .object({
    instances: z.array(FleetInstanceSchema).readonly(),
    cursor: z.union([z.string(), z.null()]).meta({ description: "For the next page; null: none" }),
    missing: z.array(z.string()).readonly().meta({
      description: "Masters that did not answer within 5 s, or whose turn did not come within 10",
    }),
  })
  .meta({ id: "FleetInstances" });
export type FleetInstances = z.infer<typeof FleetInstancesSchema>;
