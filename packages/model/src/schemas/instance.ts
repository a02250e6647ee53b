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
  })
  .meta({ id: "Instance", example });
