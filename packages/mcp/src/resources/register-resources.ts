import { ResourceNotFoundError, type Server } from "@modelcontextprotocol/server";
import type { MasterClient } from "@nodepass/master-client";
import { asProtocolErrors, notThere } from "../protocol-errors.ts";
import {
  ALL_RESOURCES,
  findResource,
  isOfInstance,
  listInstanceResources,
} from "./all-resources.ts";

/** Offers what can be read without a tool: instances, their logs, the master, the parameters. */
export function registerResources(server: Server, client: MasterClient): void {
  server.registerCapabilities({ resources: { listChanged: false } });
  server.setRequestHandler("resources/list", async () => {
    const own = ALL_RESOURCES.filter((each) => !isOfInstance(each));
    const instances = await asProtocolErrors(() => listInstanceResources(client));
    return { resources: [...own.map(({ read: _read, ...shown }) => shown), ...instances] };
  });
  server.setRequestHandler("resources/templates/list", () => ({
    resourceTemplates: ALL_RESOURCES.filter(isOfInstance).map(
      ({ read: _read, uri: uriTemplate, ...shown }) => ({ ...shown, uriTemplate }),
    ),
  }));
  server.setRequestHandler("resources/read", async ({ params: { uri } }) => {
    const found = findResource(uri);
    if (found === undefined) {
      const { message } = notThere(
        "resource",
        uri,
        ALL_RESOURCES.map((each) => each.uri),
      );
      throw new ResourceNotFoundError(uri, message);
    }
    const { resource, id } = found;
    const text = await asProtocolErrors(() => resource.read(client, id));
    return { contents: [{ uri, mimeType: resource.mimeType, text }] };
  });
}
