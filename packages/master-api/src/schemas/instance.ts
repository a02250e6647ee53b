import { z } from "@hono/zod-openapi";
import type { Instance, MasterService } from "../service.ts";

/** Id of the pseudo instance that stands for the API key. */
export const KEY_INSTANCE_ID = "********";

const count = (description: string) => z.int().min(0).openapi({ description });

export const PeerSchema = z
  .object({
    sid: z.string().openapi({ description: "Id of the service that both halves belong to" }),
    type: z.string().openapi({ description: "Kind of the service" }),
    alias: z.string().openapi({ description: "Name of the service" }),
  })
  .openapi("InstancePeer");

export const MetaSchema = z
  .object({ peer: PeerSchema, tags: z.record(z.string(), z.string()) })
  .openapi("InstanceMeta");

/** An instance as every answer and event shows it. */
export const InstanceSchema = z
  .object({
    id: z.string().openapi({ description: "`********` is the API key's entry" }),
    alias: z.string(),
    type: z.enum(["server", "client", ""]).openapi({ description: "Empty for the key's entry" }),
    status: z.enum(["running", "stopped", "error"]),
    url: z.string().openapi({ description: "As it was sent; the key itself for the key's entry" }),
    config: z.string().openapi({
      description: "The URL with every default filled in; the master's id for the key's entry",
    }),
    restart: z.boolean().openapi({ description: "Whether it starts with the master" }),
    meta: MetaSchema,
    mode: z.int().min(0).openapi({ description: "As run: 0, 1 or 2" }),
    ping: count("Round trip to the peer, ms"),
    pool: count("Ready pool connections"),
    tcps: count("TCP connections now"),
    udps: count("UDP sessions now"),
    tcprx: count("TCP bytes received, cumulative"),
    tcptx: count("TCP bytes sent, cumulative"),
    udprx: count("UDP bytes received, cumulative"),
    udptx: count("UDP bytes sent, cumulative"),
  })
  .openapi("Instance", {
    example: {
      id: "a1b2c3d4",
      alias: "web",
      type: "server",
      status: "running",
      url: "server://0.0.0.0:10101/127.0.0.1:8080?tls=1",
      config:
        "server://0.0.0.0:10101/127.0.0.1:8080?dial=auto&dns=5m0s&log=info&max=1024&mode=0&tls=1",
      restart: true,
      meta: { peer: { sid: "", type: "", alias: "" }, tags: {} },
      mode: 1,
      ping: 12,
      pool: 64,
      tcps: 3,
      udps: 0,
      tcprx: 1024,
      tcptx: 2048,
      udprx: 0,
      udptx: 0,
    },
  });

export type WireInstance = z.infer<typeof InstanceSchema>;

/**
 * The nearest integer that JSON readers of every language take as one: a single fraction makes the
 * dashboard drop a whole answer (docs of its client: numbers are decoded into 64-bit integers).
 */
export function wireInteger(value: number): number {
  if (!Number.isFinite(value)) return 0;
  const rounded = Math.round(value);
  const bounded = Math.min(Math.max(rounded, Number.MIN_SAFE_INTEGER), Number.MAX_SAFE_INTEGER);
  // `-0` would be written as 0, but is not equal to it for callers that compare.
  return bounded === 0 ? 0 : bounded;
}

const wireCount = (value: number) => Math.max(0, wireInteger(value));

/** Exactly the documented fields, numbers as integers. */
export function toWireInstance(instance: Instance): WireInstance {
  const { peer, tags } = instance.meta;
  return {
    id: instance.id,
    alias: instance.alias,
    type: instance.type,
    status: instance.status,
    url: instance.url,
    config: instance.config,
    restart: instance.restart,
    meta: { peer: { sid: peer.sid, type: peer.type, alias: peer.alias }, tags: { ...tags } },
    mode: wireCount(instance.mode),
    ping: wireCount(instance.ping),
    pool: wireCount(instance.pool),
    tcps: wireCount(instance.tcps),
    udps: wireCount(instance.udps),
    tcprx: wireCount(instance.tcprx),
    tcptx: wireCount(instance.tcptx),
    udprx: wireCount(instance.udprx),
    udptx: wireCount(instance.udptx),
  };
}

/**
 * The API key as an instance: clients find the key and the master's id in it.
 *
 * @param url the key; empty where it must not be told (event streams, which tickets open too)
 */
export function keyInstance(service: MasterService, url: string): Instance {
  return {
    id: KEY_INSTANCE_ID,
    alias: "",
    type: "",
    status: "stopped",
    url,
    config: service.masterId(),
    restart: false,
    meta: { peer: { sid: "", type: "", alias: "" }, tags: {} },
    mode: 0,
    ping: 0,
    pool: 0,
    tcps: 0,
    udps: 0,
    tcprx: 0,
    tcptx: 0,
    udprx: 0,
    udptx: 0,
  };
}
