import { createInstance } from "@nodepass/master-client";
import { z } from "zod";
import { explainError } from "../explain-error.ts";
import { formatExport, parseExport } from "../exports/exported-instances.ts";
import { McpError } from "../mcp-error.ts";
import { InstanceOutput, toOutput } from "./instance-output.ts";
import { defineTool, type Tool } from "./tool.ts";

/** What keeps instances in a file, and brings them back. */
export const exportTools: readonly Tool[] = [
  defineTool({
    name: "export_instances",
    title: "Write all instances to a file",
    description:
      "Writes URLs, names, tags and counters of all instances to nodepass.json beside the master's state (with nodepass mcp, on the machine that runs it), in place of the one before. It holds the tunnels' keys.",
    effect: { destroys: true, repeatable: true },
    input: z.strictObject({}),
    output: z.object({ result: z.object({ file: z.string(), count: z.number() }) }),
    run: async (_args, { client, exportFile }) => {
      const instances = await client.list();
      await exportFile.write(formatExport(instances));
      return { result: { file: exportFile.name, count: instances.length } };
    },
  }),
  defineTool({
    name: "import_instances",
    title: "Make the instances of a file",
    description:
      "Makes every instance of the file that export_instances writes, under a new id, and starts those with restart. Instances that are there stay; counters begin at zero.",
    effect: {},
    input: z.strictObject({}),
    output: z.object({
      result: z.object({
        file: z.string(),
        count: z.number().describe("instances that were made"),
        failed: z
          .array(z.object({ entry: z.number(), alias: z.string(), error: z.string() }))
          .describe("entries of the file that could not be made, and why"),
      }),
      instances: z.array(InstanceOutput),
    }),
    run: async (_args, { client, exportFile, signal }) => {
      const { name } = exportFile;
      const content = await exportFile.read();
      if (content === undefined) {
        throw new McpError("NOT_FOUND", `there is no ${name}; export_instances writes one`);
      }
      const instances: z.input<typeof InstanceOutput>[] = [];
      const failed: { entry: number; alias: string; error: string }[] = [];
      for (const [at, { url, alias, restart, meta }] of parseExport(name, content).entries()) {
        if (signal.aborted) break;
        try {
          const made = await createInstance(client, {
            url,
            alias,
            restart,
            start: restart,
            tags: meta?.tags ?? {},
            peer: meta?.peer ?? undefined,
          });
          instances.push(toOutput(made));
        } catch (error) {
          const reason = explainError(error);
          if (reason === undefined) throw error;
          failed.push({ entry: at + 1, alias, error: reason });
        }
      }
      return { result: { file: name, count: instances.length, failed }, instances };
    },
  }),
];
