import { formatHostPort, readUrlFields, type UrlFields } from "@nodepass/url-config";
import { z } from "zod";
import { InstanceOutput, toOutput } from "./instance-output.ts";
import { keptLines } from "./kept-lines.ts";
import { getInstance, idArgument } from "./known-instance.ts";
import { defineTool, type Tool } from "./tool.ts";

/** Most log lines beside an instance. */
const mostLines = 100;

const LogLines = z.array(z.object({ time: z.string(), level: z.string(), line: z.string() }));

const ConfigOutput = z.object({
  role: z.enum(["server", "client"]),
  password: z.string().optional().describe("the tunnel key, if the URL has one"),
  tunnel_address: z.string().describe("empty: all interfaces"),
  tunnel_port: z.string(),
  target_address: z.string().optional(),
  target_port: z.string().optional(),
  targets: z.string().optional().describe("in place of the two before, where there are several"),
  parameters: z.record(z.string(), z.string()).describe("the query of the URL, as it is written"),
});

/** What agents look with. */
export const readTools: readonly Tool[] = [
  defineTool({
    name: "list_instances",
    title: "List instances",
    description: "All tunnels of this NodePass master with their state, counters and URLs.",
    effect: { reads: true },
    input: z.strictObject({}),
    output: z.object({ instances: z.array(InstanceOutput) }),
    run: async (_args, { client }) => ({ instances: (await client.list()).map(toOutput) }),
  }),
  defineTool({
    name: "get_instance",
    title: "Show an instance",
    description:
      "One tunnel: its state and why (status, reason, link), counters, URL, and on request its last log lines.",
    effect: { reads: true },
    input: z.strictObject({
      id: idArgument,
      logs: z
        .int()
        .min(0)
        .max(mostLines)
        .optional()
        .describe(`also the last so many log lines, at most ${mostLines}`),
    }),
    output: z.object({ instance: InstanceOutput, logs: LogLines.optional() }),
    run: async ({ id, logs }, { client }) => {
      const instance = toOutput(await getInstance(client, id));
      if (logs === undefined) return { instance };
      const lines = await keptLines(client, id, logs);
      return { instance, logs: lines.map(({ time, level, line }) => ({ time, level, line })) };
    },
  }),
  defineTool({
    name: "get_instance_config",
    title: "Show the settings of an instance",
    description: "The parts of a tunnel's URL, as the set_instance tools change them.",
    effect: { reads: true },
    input: z.strictObject({ id: idArgument }),
    output: z.object({ config: ConfigOutput }),
    run: async ({ id }, { client }) => {
      const { url } = await getInstance(client, id);
      return { config: toConfig(readUrlFields(url)) };
    },
  }),
  defineTool({
    name: "get_master_info",
    title: "Show the master",
    description: "The master and its machine: version, system, CPU, memory, traffic, uptime.",
    effect: { reads: true },
    input: z.strictObject({}),
    output: z.object({ info: z.looseObject({}) }),
    run: async (_args, { client }) => ({ info: { ...(await client.info()) } }),
  }),
  defineTool({
    name: "tcping_target",
    title: "Try an address",
    description:
      "Has the master open a TCP connection to host:port: whether that works from there, and how long it takes.",
    effect: { reads: true, reachesOut: true, needsFullKey: true },
    input: z.strictObject({
      target: z
        .string()
        .regex(/^(?:\[[^\]]+\]|[^:[\]]+):\d{1,5}$/, "not host:port or [IPv6]:port")
        .describe("host:port, an IPv6 address in brackets"),
    }),
    output: z.object({
      result: z.object({
        target: z.string(),
        connected: z.boolean(),
        latency: z.number().describe("ms; 0 when not connected"),
        error: z.string().describe("why not; empty when connected"),
      }),
    }),
    run: async ({ target }, { client }) => ({
      result: { target, ...(await client.tcping(target)) },
    }),
  }),
];

function toConfig({ scheme, key, tunnel, targets, parameters }: UrlFields) {
  const [target] = targets;
  return {
    role: scheme,
    ...(key !== undefined && { password: key }),
    tunnel_address: tunnel.host,
    tunnel_port: String(tunnel.port),
    ...(target !== undefined && targets.length === 1
      ? { target_address: target.host, target_port: String(target.port) }
      : { targets: targets.map(formatHostPort).join(",") }),
    parameters: { ...parameters },
  };
}
