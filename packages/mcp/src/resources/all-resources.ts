import { type MasterClient, nameInstance } from "@nodepass/master-client";
import { toOutput } from "../tools/instance-output.ts";
import { keptLines } from "../tools/kept-lines.ts";
import { getInstance } from "../tools/known-instance.ts";
import { parameterReference } from "./parameter-reference.ts";

/** Something that can be read without a tool. */
export interface Resource {
  readonly name: string;
  /** With `{id}` in it for something of each instance. */
  readonly uri: string;
  readonly title: string;
  readonly description: string;
  readonly mimeType: string;
  /** @param id of the instance, empty for what is of none */
  read(client: MasterClient, id: string): Promise<string>;
}

const json = "application/json";
const asText = (value: unknown): string => JSON.stringify(value, undefined, 2);

/** Most instances that a list names; the resource `instances` has all of them. */
const mostListed = 100;

/** Every resource. */
export const ALL_RESOURCES: readonly Resource[] = [
  {
    name: "instances",
    uri: "nodepass://instances",
    title: "Instances",
    description: "All tunnels with their state",
    mimeType: json,
    read: async (client) => asText((await client.list()).map(toOutput)),
  },
  {
    name: "master",
    uri: "nodepass://master",
    title: "Master",
    description: "The master and its machine",
    mimeType: json,
    read: async (client) => asText(await client.info()),
  },
  {
    name: "parameters",
    uri: "nodepass://parameters",
    title: "Parameters of tunnels",
    description: "What a tunnel's URL is made of, and every parameter with its default",
    mimeType: "text/markdown",
    read: async () => parameterReference(),
  },
  {
    name: "instance",
    uri: "nodepass://instances/{id}",
    title: "Instance",
    description: "One tunnel with its state and counters",
    mimeType: json,
    read: async (client, id) => asText(toOutput(await getInstance(client, id))),
  },
  {
    name: "instance-logs",
    uri: "nodepass://instances/{id}/logs",
    title: "Log of an instance",
    description: "The last log lines of one tunnel; NodePass 1.14 masters keep none",
    mimeType: "text/plain",
    read: async (client, id) => (await keptLines(client, id)).map(({ line }) => line).join("\n"),
  },
];

/** The resources of single instances, for hosts that let people choose from a list. */
export async function listInstanceResources(client: MasterClient) {
  const instances = (await client.list()).slice(0, mostListed);
  return instances.map((instance) => ({
    uri: `nodepass://instances/${instance.id}`,
    name: nameInstance(instance),
    mimeType: json,
  }));
}

/** Whether a resource is one of each instance. */
export function isOfInstance({ uri }: Resource): boolean {
  return uri.includes("{id}");
}

/** Finds the resource that an address means, and the id in it. */
export function findResource(
  uri: string,
): { readonly resource: Resource; readonly id: string } | undefined {
  const [, id = "", rest = ""] = /^nodepass:\/\/instances\/([^/]+)(\/.*)?$/.exec(uri) ?? [];
  const template = id === "" ? uri : `nodepass://instances/{id}${rest}`;
  const resource = ALL_RESOURCES.find((each) => each.uri === template);
  return resource && { resource, id };
}
