import { type MasterClient, nameInstance, type RemoteInstance } from "@nodepass/master-client";
import { z } from "zod";
import { isClientError } from "../explain-error.ts";
import { McpError } from "../mcp-error.ts";

/** Most ids that a message lists. */
const mostListed = 10;

/** The API key's entry has none, and no path goes through it. */
const idForm = /^[0-9A-Za-z_-]{1,64}$/;

/** The id of an instance. */
export const idArgument = z
  .string()
  .regex(idForm, "not the id of an instance (allowed: ids of list_instances)")
  .describe("id of the instance, from list_instances");

/** @throws {McpError} `NOT_FOUND` with the ids that there are */
export async function getInstance(client: MasterClient, id: string): Promise<RemoteInstance> {
  return orKnown(client, id, () => client.get(id));
}

/** Does something with an instance. @throws {McpError} `NOT_FOUND` with the ids that there are */
export async function orKnown<T>(
  client: MasterClient,
  id: string,
  act: () => Promise<T>,
): Promise<T> {
  if (!idForm.test(id)) throw noInstance(id, await client.list());
  try {
    return await act();
  } catch (error) {
    if (!isClientError(error, "NOT_FOUND")) throw error;
    const all = await client.list();
    // Something else that this master does not know.
    if (all.some((each) => each.id === id)) throw error;
    throw noInstance(id, all);
  }
}

function noInstance(id: string, all: readonly RemoteInstance[]): McpError {
  const listed = all.slice(0, mostListed).map(nameInstance);
  const rest = all.length - listed.length;
  const there = listed.length === 0 ? "none" : listed.join(", ");
  const more = rest > 0 ? ` and ${rest} more` : "";
  const shown = JSON.stringify(id.slice(0, 80));
  return new McpError("NOT_FOUND", `no instance ${shown}; there are: ${there}${more}`);
}
