import type { CompleteRequest, Server } from "@modelcontextprotocol/server";
import type { MasterClient, RemoteInstance } from "@nodepass/master-client";
import { ALL_PROMPTS } from "../prompts/all-prompts.ts";
import { asProtocolErrors, notThere } from "../protocol-errors.ts";
import { ALL_RESOURCES, isOfInstance } from "../resources/all-resources.ts";

/** Most values of an answer, by the protocol. */
const mostValues = 100;

/** Completes what names an instance, as it is typed: ids of resources, names in prompts. */
export function registerCompletions(server: Server, client: MasterClient): void {
  server.registerCapabilities({ completions: {} });
  server.setRequestHandler("completion/complete", async ({ params: { ref, argument } }) => {
    const namesOf = completedBy(ref, argument.name);
    // What has nothing to offer is completed with nothing.
    if (namesOf === undefined) return { completion: { values: [], hasMore: false } };
    const all = await asProtocolErrors(() => client.list());
    const fitting = all.flatMap(namesOf).filter((name) => name.startsWith(argument.value));
    return {
      completion: {
        values: fitting.slice(0, mostValues),
        total: fitting.length,
        hasMore: fitting.length > mostValues,
      },
    };
  });
}

/**
 * What an argument may be of each instance; `undefined` if it names none.
 *
 * @throws {ProtocolError} if there is no such prompt or resource
 */
function completedBy(
  ref: CompleteRequest["params"]["ref"],
  argument: string,
): ((instance: RemoteInstance) => string[]) | undefined {
  if (ref.type === "ref/prompt") {
    const prompt = ALL_PROMPTS.get(ref.name);
    if (prompt === undefined) throw notThere("prompt", ref.name, ALL_PROMPTS.keys());
    if (prompt.instanceArgument !== argument) return undefined;
    return ({ id, alias }) => (alias === "" ? [id] : [alias, id]);
  }
  const resource = ALL_RESOURCES.find(({ uri }) => uri === ref.uri);
  if (resource === undefined) {
    throw notThere(
      "resource",
      ref.uri,
      ALL_RESOURCES.map(({ uri }) => uri),
    );
  }
  return isOfInstance(resource) && argument === "id" ? ({ id }) => [id] : undefined;
}
