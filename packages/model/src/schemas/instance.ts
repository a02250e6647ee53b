import { z } from "zod";
import { counterShape } from "./counters.ts";

export const PeerSchema = z
  .object({
    sid: z.string().meta({ description: "Id of the service that both halves belong to" }),
    type: z.string().meta({ description: "Kind of the service" }),
    alias: z.string().meta({ description: "Name of the service" }),
  })
  .meta({ id: "InstancePeer" });

export const MetaSchema = z
  .object({ peer: PeerSchema, tags: z.record(z.string(), z.string()) })
  .meta({ id: "InstanceMeta" });

const count = (description: string) => z.int().min(0).meta({ description });

/** What is open and what was carried. */
const trafficShape = {
  tcps: count("TCP connections now"),
  udps: count("UDP sessions now"),
  tcprx: count("TCP bytes read from users or targets"),
  tcptx: count("TCP bytes written to users or targets"),
  udprx: count("UDP payload bytes read from users or targets"),
  udptx: count("UDP payload bytes written to users or targets"),
};

const PeerLinkSchema = z
  .object({
    number: z.int().min(1).meta({
      description: "The place of a client among those that may be there, or of a server in the URL",
    }),
    address: z.string().meta({ description: "IP address of a client, `host:port` of a server" }),
    connected: z.boolean(),
    reason: z.string().meta({ description: "Why it is not connected, else empty" }),
    users: count("Users it was given, over TCP and UDP, since it has its number"),
    ...trafficShape,
    pool: count("Ready pool connections"),
    ping: count("Round trip, ms; 0 while not known"),
  })
  .meta({ id: "PeerLink" });

const example = {
  id: "a1b2c3d4",
  alias: "web",
  type: "server",
  status: "running",
  url: "server://0.0.0.0:10101/127.0.0.1:8080?tls=1",
  config: "server://0.0.0.0:10101/127.0.0.1:8080?dial=auto&dns=5m0s&log=info&max=1024&mode=0&tls=1",
  restart: true,
  meta: { peer: { sid: "", type: "", alias: "" }, tags: {} },
  mode: 1,
  ...Object.fromEntries(Object.keys(counterShape).map((name) => [name, 0])),
  ping: 12,
  pool: 64,
  tcps: 3,
  tcprx: 1024,
  tcptx: 2048,
  link: "up",
  reason: "",
  since: "2026-01-02T03:04:05.678Z",
  nextRetry: null,
  restingTargets: [],
};

/** An instance as every answer and event shows it. */
export const InstanceSchema = z
  .object({
    id: z.string().meta({ description: "`********` is the API key's entry" }),
    alias: z.string(),
    type: z.enum(["server", "client", ""]).meta({ description: "Empty for the key's entry" }),
    status: z.enum(["running", "stopped", "error"]),
    url: z.string().meta({ description: "As it was sent; the key itself for the key's entry" }),
    config: z.string().meta({
      description: "The URL with every default filled in; the master's id for the key's entry",
    }),
    restart: z.boolean().meta({ description: "Whether it starts with the master" }),
    meta: MetaSchema,
    mode: z.int().min(0).meta({ description: "As run: 0, 1 or 2" }),
    ...counterShape,
    link: z.enum(["up", "down", "none"]).meta({
      description: "With its peer, without, or an end that has none (single-end forwarding)",
    }),
    reason: z
      .string()
      .meta({ description: "Why `status` is `error`, or `stopped` by itself; else empty" }),
    since: z.iso.datetime().meta({ description: "Since when `status` is what it is" }),
    nextRetry: z
      .union([z.iso.datetime(), z.null()])
      .meta({ description: "When it is started again by itself, null if that is not planned" }),
    restingTargets: z
      .array(
        z.object({
          target: z.string(),
          protocol: z.enum(["tcp", "udp"]),
          reason: z.string().meta({ description: "Why it failed last" }),
        }),
      )
      .readonly()
      .meta({ description: "Targets that are left alone after a failure while others serve" }),
    peers: z.array(PeerLinkSchema).readonly().optional().meta({
      description:
        "Only where there can be several: the clients that a server with `clients` has, or the servers of a client; at most 64",
    }),
    quota: z
      .object({
        limit: z.int().min(1).meta({ description: "Bytes, both ways together" }),
        used: count("Bytes in the present period"),
        resets: z
          .union([z.iso.datetime(), z.null()])
          .meta({ description: "When the next period begins; null: never" }),
      })
      .optional()
      .meta({ description: "Only where the URL has a quota" }),
    origin: z
      .object({
        file: z.string().meta({ description: "The file that describes it" }),
        name: z.string().meta({ description: "Its name there" }),
      })
      .optional()
      .meta({ description: "Only where a file brought it: its URL is changed there" }),
  })
  .meta({ id: "Instance", example });

const warnings = z
  .array(z.string())
  .meta({ description: "What was overlooked in the URL, for people to read" });

/** Answer of `POST /instances`. */
export const CreatedInstanceSchema = z
  .object({ ...InstanceSchema.shape, warnings })
  .meta({ id: "CreatedInstance", example: { ...example, warnings: [] } });

const changes = z.object({
  inPlace: z.array(z.string()).meta({ description: "Took effect while connections went on" }),
  restarted: z.array(z.string()).meta({ description: "Needed a restart of the instance" }),
});

/** Answer of `PUT /instances/{id}`. */
export const ReplacedInstanceSchema = z
  .object({ ...InstanceSchema.shape, warnings, changes })
  .meta({
    id: "ReplacedInstance",
    example: { ...example, warnings: [], changes: { inPlace: [], restarted: ["tls"] } },
  });

/** Answer of `GET /instances/{id}/logs`. */
export const InstanceLogsSchema = z
  .object({
    lines: z.array(
      z.object({
        time: z.iso.datetime(),
        level: z.enum(["debug", "info", "warn", "error"]),
        line: z.string().meta({ description: "As event streams carry it" }),
      }),
    ),
    total: count("Lines so far, those not kept included"),
  })
  .meta({ id: "InstanceLogs" });

/** Answer of `GET /instances/{id}/bans`. */
export const InstanceBansSchema = z
  .object({
    bans: z.array(
      z.object({
        address: z.string().meta({ description: "IPv4, or the /64 of IPv6 addresses" }),
        until: z.iso.datetime(),
        offences: z.int().min(1).meta({ description: "Failures so far" }),
      }),
    ),
  })
  .meta({ id: "InstanceBans" });

/** Answer of `GET /instances/{id}/ports`. */
export const InstancePortsSchema = z
  .object({
    ports: z.array(z.object({ port: z.int().min(1).max(65_535), ...trafficShape })),
  })
  .meta({ id: "InstancePorts" });

/** Answer of `DELETE /instances/{id}/bans`. */
export const LiftedBansSchema = z
  .object({ lifted: count("Bans that ended so") })
  .meta({ id: "LiftedBans" });

const series = (description: string) =>
  z.array(z.union([z.int().min(0), z.null()])).meta({ description });

/** Answer of `GET /instances/{id}/history`; null where the instance did not run. */
export const InstanceHistorySchema = z
  .object({
    step: z.int().min(1).meta({ description: "Seconds of a step" }),
    start: z.iso.datetime().meta({ description: "Beginning of the first step" }),
    rx: series("Received, bytes/s"),
    tx: series("Sent, bytes/s"),
    tcps: series("TCP connections"),
    udps: series("UDP sessions"),
    pool: series("Ready pool connections"),
    ping: series("Round trip to the peer, ms"),
  })
  .meta({ id: "InstanceHistory" });
