import { Server } from "@modelcontextprotocol/server";
import type { MasterClient } from "@nodepass/master-client";
import { type KeyAccess, type Logger, SILENT_LOGGER } from "@nodepass/model";
import { registerCompletions } from "./completions/register-completions.ts";
import type { ExportFile } from "./exports/export-file.ts";
import { registerPrompts } from "./prompts/register-prompts.ts";
import { registerResources } from "./resources/register-resources.ts";
import { registerTools } from "./tools/register-tools.ts";

/** What a server for agents is made of. */
export interface McpServerOptions {
  /** The master, in this process or anywhere. */
  readonly client: MasterClient;
  /** What its key may do. @default "full" */
  readonly access?: KeyAccess | undefined;
  /** Offer nothing that changes anything. @default false */
  readonly readOnly?: boolean | undefined;
  /** Of `export_instances` and `import_instances`. */
  readonly exportFile: ExportFile;
  /** Of the program. @default "0.0.0" */
  readonly version?: string | undefined;
  /** Put the fields of results beside `content`, too, as NodePass 2 has them. @default false */
  readonly likeNodePass2?: boolean | undefined;
  /** Where faults of the program are reported. @default nowhere */
  readonly logger?: Logger | undefined;
}

const INSTRUCTIONS = `NodePass makes TCP and UDP tunnels through NAT and firewalls. An instance is one end of a tunnel: a server listens, a client dials it with the same password, or forwards alone (client, mode 1). Begin with list_instances. The resource nodepass://parameters says what every setting means. Keys and passwords of tunnels are secrets: do not repeat them.`;

/**
 * A server with the tools, resources and prompts, for one connection or one request. It is the SDK's
 * plain one: the other has no say about errors for a wrong name or argument, which are to tell what is
 * allowed, and translates every schema at each list.
 */
export function createMcpServer(options: McpServerOptions): Server {
  const { client, exportFile, logger = SILENT_LOGGER } = options;
  const server = new Server(
    { name: "NodePass Master", title: "NodePass", version: options.version ?? "0.0.0" },
    { instructions: INSTRUCTIONS },
  );
  registerTools(server, {
    access: options.access ?? "full",
    readOnly: options.readOnly ?? false,
    context: { client, exportFile },
    likeNodePass2: options.likeNodePass2 ?? false,
    onFault: (tool, error) => {
      const fault = error instanceof Error ? (error.stack ?? error.message) : String(error);
      logger.error({ tool, error: fault }, "tool failed");
    },
  });
  registerResources(server, client);
  registerPrompts(server, client);
  registerCompletions(server, client);
  return server;
}
