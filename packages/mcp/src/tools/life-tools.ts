import {
  act,
  checkChange,
  createInstance,
  type RemoteChange,
  type RemotePeer,
} from "@nodepass/master-client";
import { INSTANCE_ACTIONS } from "@nodepass/model";
import { z } from "zod";
import { McpError } from "../mcp-error.ts";
import { changeSettings, NO_FIELDS } from "../settings/change-settings.ts";
import { settingArguments, URL_SETTINGS } from "../settings/setting-names.ts";
import { InstanceOutput, toOutput, warningsOutput } from "./instance-output.ts";
import { getInstance, idArgument, orKnown } from "./known-instance.ts";
import { defineTool, type Tool } from "./tool.ts";

const instanceOnly = z.object({ instance: InstanceOutput });

/** A text of the other half; dashboards send null for none. */
const peerText = z
  .union([z.string(), z.number()])
  .nullish()
  .transform((value) => (value === undefined ? undefined : String(value ?? "")));

const scalar = z.union([z.string(), z.number(), z.boolean()]).transform(String);

const role = z
  .enum(["server", "client"])
  .describe(
    "server: listens for the client of the pair; client: dials it, or forwards by itself (mode 1)",
  );

/** What makes, changes and removes instances. */
export const lifeTools: readonly Tool[] = [
  defineTool({
    name: "create_instance",
    title: "Make a tunnel",
    description:
      "Makes a tunnel end and starts it. For a service behind NAT: a server with mode 1 on the public machine, a client with mode 2 next to the service, the same password and tunnel_port at both. For a plain local forward: a client with mode 1. Other arguments become parameters of its URL, see the resource nodepass://parameters.",
    effect: {},
    input: z
      .object({
        role,
        tunnel_port: z.string().describe("port of the tunnel, 0 to 65535"),
        alias: z.string().optional().describe("a name for people"),
        ...settingArguments(URL_SETTINGS),
      })
      .catchall(scalar),
    output: z.object({ instance: InstanceOutput, warnings: warningsOutput }),
    run: async ({ alias, ...settings }, { client }) => {
      if (settings.target_port === undefined && settings.targets === undefined) {
        throw new McpError(
          "INVALID",
          "create_instance: target_port is missing (allowed: target_port, or targets as host:port with commas)",
        );
      }
      const { url, warnings } = changeSettings(NO_FIELDS, settings);
      const instance = toOutput(await createInstance(client, { url, alias }));
      return { instance, ...(warnings.length > 0 && { warnings: [...warnings] }) };
    },
  }),
  defineTool({
    name: "update_instance",
    title: "Name and tag an instance",
    description:
      "Sets the alias, whether it starts with the master, its tags (replaces all of them) and the other half of its service (field by field). The tunnel goes on.",
    effect: { destroys: true, repeatable: true },
    input: z.strictObject({
      id: idArgument,
      alias: z.string().optional().describe("empty removes it"),
      restart: z.boolean().optional().describe("starts with the master"),
      peer: z
        .strictObject({ sid: peerText, type: peerText, alias: peerText })
        .optional()
        .describe("what is given changes, the rest stays"),
      tags: z.record(z.string(), scalar).optional().describe("replaces all tags; {} removes them"),
    }),
    output: instanceOnly,
    run: async ({ id, alias, restart, peer, tags }, { client }) => {
      if ([alias, restart, peer, tags].every((each) => each === undefined)) {
        throw new McpError(
          "INVALID",
          "update_instance: nothing to change (allowed: alias, restart, peer, tags)",
        );
      }
      const found = await getInstance(client, id);
      const change: RemoteChange = {
        ...(alias !== undefined && { alias }),
        ...(restart !== undefined && { restart }),
        ...((peer !== undefined || tags !== undefined) && {
          meta: {
            ...(tags !== undefined && { tags }),
            ...(peer !== undefined && { peer: mergePeer(found.peer, peer) }),
          },
        }),
      };
      const instance = await client.change(id, change);
      checkChange(instance, change);
      return { instance: toOutput(instance) };
    },
  }),
  defineTool({
    name: "control_instance",
    title: "Start, stop or restart an instance",
    description:
      "start, stop, restart, or reset (sets the traffic counters to zero). Answers with the state reached; a stop cuts the tunnel's connections.",
    effect: { destroys: true },
    input: z.strictObject({ id: idArgument, action: z.enum(INSTANCE_ACTIONS) }),
    output: instanceOnly,
    run: async ({ id, action }, { client, signal }) => ({
      instance: toOutput(await orKnown(client, id, () => act(client, { id }, action, { signal }))),
    }),
  }),
  defineTool({
    name: "delete_instance",
    title: "Remove an instance",
    description: "Stops a tunnel and forgets it, with its history. There is no way back.",
    effect: { destroys: true, repeatable: true },
    input: z.strictObject({ id: idArgument }),
    output: z.object({ result: z.object({ id: z.string(), deleted: z.boolean() }) }),
    run: async ({ id }, { client }) => {
      await orKnown(client, id, () => client.remove(id));
      return { result: { id, deleted: true } };
    },
  }),
  defineTool({
    name: "update_master_info",
    title: "Name the master",
    description: "Sets the name that people and dashboards know this master by.",
    effect: { destroys: true, repeatable: true },
    input: z.strictObject({ alias: z.string().describe("empty removes it") }),
    output: z.object({ info: z.looseObject({}) }),
    run: async ({ alias }, { client }) => ({ info: { ...(await client.rename(alias)) } }),
  }),
];

function mergePeer(
  before: RemotePeer,
  given: { readonly [Name in keyof RemotePeer]?: string | undefined },
): RemotePeer {
  return {
    sid: given.sid ?? before.sid,
    type: given.type ?? before.type,
    alias: given.alias ?? before.alias,
  };
}
