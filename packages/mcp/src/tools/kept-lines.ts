import type { MasterClient } from "@nodepass/master-client";
import type { InstanceLogLine } from "@nodepass/model";
import { isClientError } from "../explain-error.ts";
import { McpError } from "../mcp-error.ts";
import { orKnown } from "./known-instance.ts";

/** Colours are for terminals; models read them as noise. */
const COLOURS = /\p{Cc}\[[0-9;]*m/gu;

/**
 * The last log lines that a master has kept of an instance, without colours.
 *
 * @throws {McpError} `NOT_FOUND` also where a master keeps none
 */
export async function keptLines(
  client: MasterClient,
  id: string,
  tail?: number | undefined,
): Promise<InstanceLogLine[]> {
  try {
    const { lines } = await orKnown(client, id, () => client.logs(id, { tail }));
    return lines.map((each) => ({ ...each, line: each.line.replace(COLOURS, "").trimEnd() }));
  } catch (error) {
    if (!isClientError(error, "NOT_FOUND")) throw error;
    // The instance is there, so it is the route that is not.
    throw new McpError("NOT_FOUND", "this master keeps no log lines, as NodePass 1.14", {
      cause: error,
    });
  }
}
