import type { Server } from "@modelcontextprotocol/server";
import type { MasterClient } from "@nodepass/master-client";
import { asProtocolErrors, notThere } from "../protocol-errors.ts";
import { ALL_PROMPTS } from "./all-prompts.ts";

/** Offers what people start a conversation with. */
export function registerPrompts(server: Server, client: MasterClient): void {
  server.registerCapabilities({ prompts: { listChanged: false } });
  server.setRequestHandler("prompts/list", () => ({
    prompts: [...ALL_PROMPTS.values()].map(({ name, title, description, arguments: args }) => ({
      name,
      title,
      description,
      arguments: [...args],
    })),
  }));
  server.setRequestHandler("prompts/get", async ({ params }) => {
    const prompt = ALL_PROMPTS.get(params.name);
    if (prompt === undefined) throw notThere("prompt", params.name, ALL_PROMPTS.keys());
    const said = await asProtocolErrors(() => prompt.say(client, params.arguments ?? {}));
    return {
      description: prompt.description,
      messages: said.map((text) => ({
        role: "user" as const,
        content: { type: "text" as const, text },
      })),
    };
  });
}
