import { formatUrlFields, readUrlFields } from "@nodepass/url-config";
import { z } from "zod";
import { McpError } from "../mcp-error.ts";
import { changeSettings, type SettingTexts } from "../settings/change-settings.ts";
import { settingArguments } from "../settings/setting-names.ts";
import { InstanceOutput, toOutput, warningsOutput } from "./instance-output.ts";
import { getInstance, idArgument } from "./known-instance.ts";
import { defineTool, type Tool, type ToolContext } from "./tool.ts";

const output = z.object({
  instance: InstanceOutput,
  changes: z
    .object({ inPlace: z.array(z.string()), restarted: z.array(z.string()) })
    .optional()
    .describe("which parts took effect while connections went on, and which needed a restart"),
  warnings: warningsOutput,
});

const HOW =
  "What is not given stays; an empty text removes a setting, so that its default holds. What can change while connections go on does, else the tunnel is restarted.";

const effect = { destroys: true, repeatable: true } as const;

/** One tool for each group of settings. */
const groups = [
  [
    "basic",
    "Role and addresses",
    [
      ...[
        "role",
        "tunnel_address",
        "tunnel_port",
        "target_address",
        "target_port",
        "targets",
        "log",
      ],
    ],
  ],
  ["security", "Key and TLS", ["password", "tls", "crt", "key", "sni", "front", "compat"]],
  ["connection", "Mode and pool", ["mode", "type", "min", "max", "path"]],
  ["network", "Names, limits and times", ["dns", "dial", "read", "rate", "slot", "via"]],
  ["protocol", "Protocols", ["notcp", "noudp", "proxy"]],
  ["traffic", "Blocked protocols and choice of targets", ["block", "lbs"]],
] as const satisfies readonly (readonly [string, string, readonly string[]])[];

/** What changes the settings of an instance, by groups as in NodePass 2. */
export const settingTools: readonly Tool[] = [
  ...groups.map(([group, title, names]) =>
    defineTool({
      name: `set_instance_${group}`,
      title: `Set: ${title}`,
      description: `Changes ${names.join(", ")} of a tunnel. ${HOW}`,
      effect,
      input: z.strictObject({ id: idArgument, ...settingArguments(names) }),
      output,
      run: ({ id, ...texts }, context) =>
        setSettings(`set_instance_${group}`, id, texts, names, context),
    }),
  ),
  defineTool({
    name: "set_instance_advanced",
    title: "Set: any parameters",
    description: `Changes any parameters of a tunnel's URL at once, see the resource nodepass://parameters; also password, tunnel_address, tunnel_port, target_address, target_port, targets and role. ${HOW}`,
    effect,
    input: z.strictObject({
      id: idArgument,
      parameters: z
        .record(z.string(), z.union([z.string(), z.number(), z.boolean()]).transform(String))
        .describe("settings by name"),
    }),
    output,
    run: ({ id, parameters }, context) =>
      setSettings("set_instance_advanced", id, parameters, ["names in parameters"], context),
  }),
];

async function setSettings(
  tool: string,
  id: string,
  texts: SettingTexts,
  allowed: readonly string[],
  { client }: ToolContext,
): Promise<z.input<typeof output>> {
  if (Object.values(texts).every((text) => text === undefined)) {
    throw new McpError("INVALID", `${tool}: nothing to set (allowed: ${allowed.join(", ")})`);
  }
  const found = await getInstance(client, id);
  const before = readUrlFields(found.url);
  const { url, warnings } = changeSettings(before, texts);
  if (url === formatUrlFields(before)) {
    throw new McpError("INVALID", `${tool}: no changes: the instance has these settings already`);
  }
  const replaced = await client.replaceUrl(id, url);
  const { changes } = replaced;
  return {
    instance: toOutput(replaced),
    ...(changes !== undefined && {
      changes: { inPlace: [...changes.inPlace], restarted: [...changes.restarted] },
    }),
    ...(warnings.length > 0 && { warnings: [...warnings] }),
  };
}
