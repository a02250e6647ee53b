import { completable, type McpServer } from "@modelcontextprotocol/server";
import type { MasterClient } from "@nodepass/master-client";
import { z } from "zod";
import { asProtocolErrors } from "../resources/resource-error.ts";
import { diagnoseTunnel } from "./diagnose-tunnel.ts";
import { exposeService } from "./expose-service.ts";

/** Most names that a completion offers. */
const mostOffered = 100;

/** Offers what people start a conversation with. */
export function registerPrompts(server: McpServer, client: MasterClient): void {
  server.registerPrompt(
    "expose_service",
    {
      title: "Expose a service",
      description: "Makes a service behind NAT or a firewall reachable on a public machine",
      argsSchema: z.object({
        service: z
          .string()
          .describe("where the service is, seen from the machine beside it: host:port, or a port"),
        public_port: z.string().optional().describe("port for users on the public machine"),
        server: z.string().optional().describe("host name or address of the public machine"),
      }),
    },
    (args) => asProtocolErrors(async () => asUser([exposeService(args)])),
  );
  server.registerPrompt(
    "why_is_this_tunnel_down",
    {
      title: "Why is this tunnel down?",
      description: "State and log of a tunnel, and how to find what is wrong with it",
      argsSchema: z.object({
        instance: completable(
          z.string().describe("id, beginning of an id, or alias of the instance"),
          async (typed) => {
            const all = await asProtocolErrors(() => client.list());
            const names = all.flatMap(({ id, alias }) => (alias === "" ? [id] : [alias, id]));
            return names.filter((name) => name.startsWith(typed)).slice(0, mostOffered);
          },
        ),
      }),
    },
    ({ instance }) => asProtocolErrors(async () => asUser(await diagnoseTunnel(client, instance))),
  );
}

function asUser(texts: readonly string[]) {
  return {
    messages: texts.map((text) => ({
      role: "user" as const,
      content: { type: "text" as const, text },
    })),
  };
}
