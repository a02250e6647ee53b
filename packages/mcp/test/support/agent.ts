import { Client, InMemoryTransport } from "@modelcontextprotocol/client";
import { createMasterClient, parseMasterAddress } from "@nodepass/master-client";
import { onTestFinished } from "vitest";
import { createMcpServer, type ExportFile } from "../../src/index.ts";

/** An agent that speaks to a server of this package in the same process. */
export interface Agent {
  readonly client: Client;
  /** Calls a tool. @returns its text and its structured result */
  call(
    tool: string,
    args?: Record<string, unknown>,
  ): Promise<{ readonly text: string; readonly fields: Readonly<Record<string, unknown>> }>;
}

/** A file that is a variable. */
export function memoryFile(
  content?: string | undefined,
): ExportFile & { content(): string | undefined } {
  let text = content;
  return {
    name: "memory.json",
    read: async () => text,
    write: async (written) => {
      text = written;
    },
    content: () => text,
  };
}

/** Connects one to a master; closed when the test ends. */
export async function connectAgent(
  url: string,
  key: string,
  exportFile: ExportFile = memoryFile(),
): Promise<Agent> {
  const master = createMasterClient({ address: parseMasterAddress(url), key });
  const server = createMcpServer({ client: master, exportFile });
  const [near, far] = InMemoryTransport.createLinkedPair();
  await server.connect(far);
  const client = new Client({ name: "test", version: "1.0.0" });
  await client.connect(near);
  onTestFinished(() => client.close());
  await client.listTools();
  return {
    client,
    async call(name, args = {}) {
      const { content, structuredContent } = await client.callTool({ name, arguments: args });
      const [first] = content;
      return {
        text: first?.type === "text" ? first.text : "",
        fields: Object(structuredContent ?? {}),
      };
    },
  };
}
