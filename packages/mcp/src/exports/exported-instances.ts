import type { RemoteInstance } from "@nodepass/master-client";
import { z } from "zod";
import { McpError } from "../mcp-error.ts";

const text = z
  .string()
  .nullish()
  .transform((value) => value ?? "");

/** What is read of an entry; the counters are for people, a master begins with its own. */
const EntrySchema = z.object({
  url: z.string(),
  alias: text,
  restart: z.boolean().default(true),
  meta: z
    .object({
      peer: z.object({ sid: text, type: text, alias: text }).nullish(),
      tags: z.record(z.string(), z.string()).nullish(),
    })
    .nullish(),
});

/** One instance in the file. */
export type ExportedInstance = z.output<typeof EntrySchema>;

/** Writes instances as NodePass 2 does: their URLs with the keys, names, tags, counters. */
export function formatExport(instances: readonly RemoteInstance[]): string {
  const entries = instances.map(
    ({ alias, url, restart, peer, tags, tcprx, tcptx, udprx, udptx }) => ({
      alias,
      url,
      restart,
      meta: { peer, tags },
      tcprx,
      tcptx,
      udprx,
      udptx,
    }),
  );
  return `${JSON.stringify(entries, undefined, 2)}\n`;
}

/**
 * Reads such a file: a list, `{"instances": [...]}`, or instances by their ids.
 *
 * @throws {McpError} `FILE_UNUSABLE`, naming the entry and what is wrong with it; nothing of it is
 *   quoted, it holds keys
 */
export function parseExport(name: string, content: string): ExportedInstance[] {
  let value: unknown;
  try {
    value = JSON.parse(content);
  } catch (error) {
    throw new McpError("FILE_UNUSABLE", `${name} is not JSON`, { cause: error });
  }
  return entriesOf(name, value).map((entry, at) => {
    const { success, data, error } = EntrySchema.safeParse(entry);
    if (success) return data;
    const [issue] = error.issues;
    const field = issue?.path.map(String).join(".") || "entry";
    throw new McpError(
      "FILE_UNUSABLE",
      `${name}: entry ${at + 1}: ${field}: ${issue?.message} (allowed: an object with url, alias, restart, meta)`,
    );
  });
}

function entriesOf(name: string, value: unknown): readonly unknown[] {
  if (Array.isArray(value)) return value;
  if (typeof value === "object" && value !== null) {
    const listed: unknown = Reflect.get(value, "instances");
    return Array.isArray(listed) ? listed : Object.values(value);
  }
  throw new McpError("FILE_UNUSABLE", `${name} holds no list of instances`);
}
