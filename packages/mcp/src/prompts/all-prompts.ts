import type { MasterClient } from "@nodepass/master-client";
import { z } from "zod";
import { readArguments } from "../tools/read-arguments.ts";
import { diagnoseTunnel } from "./diagnose-tunnel.ts";
import { exposeService } from "./expose-service.ts";

/** What people start a conversation with. */
export interface Prompt {
  readonly name: string;
  readonly title: string;
  readonly description: string;
  readonly arguments: readonly {
    readonly name: string;
    readonly description: string;
    readonly required: boolean;
  }[];
  /** The argument that names an instance. */
  readonly instanceArgument?: string | undefined;
  /** @returns what the user says @throws {McpError} `INVALID`, naming the argument */
  say(client: MasterClient, args: unknown): Promise<readonly string[]>;
}

/** Every prompt by its name. */
export const ALL_PROMPTS: ReadonlyMap<string, Prompt> = new Map(
  [
    definePrompt({
      name: "expose_service",
      title: "Expose a service",
      description: "Makes a service behind NAT or a firewall reachable on a public machine",
      input: z.strictObject({
        service: z
          .string()
          .describe("where the service is, seen from the machine beside it: host:port, or a port"),
        public_port: z.string().optional().describe("port for users on the public machine"),
        server: z.string().optional().describe("host name or address of the public machine"),
      }),
      say: async (_client, args) => [exposeService(args)],
    }),
    definePrompt({
      name: "why_is_this_tunnel_down",
      title: "Why is this tunnel down?",
      description: "State and log of a tunnel, and how to find what is wrong with it",
      input: z.strictObject({
        instance: z.string().describe("id, beginning of an id, or alias of the instance"),
      }),
      instanceArgument: "instance",
      say: (client, { instance }) => diagnoseTunnel(client, instance),
    }),
  ].map((prompt) => [prompt.name, prompt]),
);

interface PromptDefinition<Input extends z.ZodObject> extends Omit<Prompt, "arguments" | "say"> {
  readonly input: Input;
  say(client: MasterClient, args: z.output<Input>): Promise<readonly string[]>;
}

function definePrompt<Input extends z.ZodObject>({
  input,
  say,
  ...shown
}: PromptDefinition<Input>): Prompt {
  return {
    ...shown,
    arguments: Object.entries<z.ZodType>(input.shape).map(([name, schema]) => ({
      name,
      description: schema.description ?? "",
      required: !schema.safeParse(undefined).success,
    })),
    say: (client, args) => say(client, readArguments(shown.name, input, args)),
  };
}
