import { type McpServer, ResourceTemplate } from "@modelcontextprotocol/server";
import { type MasterClient, nameInstance } from "@nodepass/master-client";
import { toOutput } from "../tools/instance-output.ts";
import { keptLines } from "../tools/kept-lines.ts";
import { getInstance } from "../tools/known-instance.ts";
import { parameterReference } from "./parameter-reference.ts";
import { asProtocolErrors } from "./resource-error.ts";

/** Most instances that a list of resources or a completion names. */
const mostListed = 100;

const json = "application/json";

/** Offers what can be read without a tool: instances, their logs, the master, the parameters. */
export function registerResources(server: McpServer, client: MasterClient): void {
  const completeId = async (typed: string): Promise<string[]> => {
    const all = await asProtocolErrors(() => client.list());
    return all
      .map(({ id }) => id)
      .filter((id) => id.startsWith(typed))
      .slice(0, mostListed);
  };

  server.registerResource(
    "instances",
    "nodepass://instances",
    { title: "Instances", description: "All tunnels with their state", mimeType: json },
    ({ href }) => asProtocolErrors(async () => asJson(href, (await client.list()).map(toOutput))),
  );
  server.registerResource(
    "master",
    "nodepass://master",
    { title: "Master", description: "The master and its machine", mimeType: json },
    ({ href }) => asProtocolErrors(async () => asJson(href, await client.info())),
  );
  server.registerResource(
    "parameters",
    "nodepass://parameters",
    {
      title: "Parameters of tunnels",
      description: "What a tunnel's URL is made of, and every parameter with its default",
      mimeType: "text/markdown",
    },
    ({ href }) => ({
      contents: [{ uri: href, mimeType: "text/markdown", text: parameterReference() }],
    }),
  );
  server.registerResource(
    "instance",
    new ResourceTemplate("nodepass://instances/{id}", {
      list: () =>
        asProtocolErrors(async () => ({
          resources: (await client.list()).slice(0, mostListed).map((instance) => ({
            uri: `nodepass://instances/${instance.id}`,
            name: nameInstance(instance),
          })),
        })),
      complete: { id: completeId },
    }),
    { title: "Instance", description: "One tunnel with its state and counters", mimeType: json },
    ({ href }, { id }) =>
      asProtocolErrors(async () => asJson(href, toOutput(await getInstance(client, single(id))))),
  );
  server.registerResource(
    "instance-logs",
    new ResourceTemplate("nodepass://instances/{id}/logs", {
      list: undefined,
      complete: { id: completeId },
    }),
    {
      title: "Log of an instance",
      description: "The last log lines of one tunnel; NodePass 1.14 masters keep none",
      mimeType: "text/plain",
    },
    ({ href }, { id }) =>
      asProtocolErrors(async () => ({
        contents: [{ uri: href, mimeType: "text/plain", text: await logText(client, single(id)) }],
      })),
  );
}

function asJson(uri: string, value: unknown) {
  return { contents: [{ uri, mimeType: json, text: JSON.stringify(value, undefined, 2) }] };
}

function single(value: string | readonly string[] | undefined): string {
  return typeof value === "string" ? value : "";
}

async function logText(client: MasterClient, id: string): Promise<string> {
  return (await keptLines(client, id)).map(({ line }) => line).join("\n");
}
