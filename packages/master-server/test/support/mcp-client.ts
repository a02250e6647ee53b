import { Client, StreamableHTTPClientTransport } from "@modelcontextprotocol/client";
import { onTestFinished } from "vitest";

/** Revisions of the protocol that both sides know: the present one, and that of NodePass 2. */
export const ERAS = ["2026-07-28", "2025-11-25"] as const;
export type Era = (typeof ERAS)[number];

export type Fields = Readonly<Record<string, unknown>>;

/** What a tool answered. */
export interface ToolAnswer {
  readonly isError: boolean;
  /** The text, as a model reads it. */
  readonly text: string;
  /** The structured result, by field; checked by the client against the tool's schema. */
  readonly fields: Fields;
}

/** An agent that speaks to a master. */
export interface Agent {
  readonly client: Client;
  call(tool: string, args?: Record<string, unknown>): Promise<ToolAnswer>;
  /** The same for a call that has to succeed. @returns the structured result */
  get(tool: string, args?: Record<string, unknown>): Promise<Fields>;
  /** Makes an instance. @returns its id */
  create(args: Record<string, unknown>): Promise<string>;
}

/** Connects the SDK's client to `<api>/v2` with a key; closed when the test ends. */
export async function connectAgent(
  api: string,
  key: string,
  era: Era = "2025-11-25",
): Promise<Agent> {
  const client = new Client(
    { name: "test", version: "1.0.0" },
    { versionNegotiation: { mode: era === "2026-07-28" ? { pin: era } : "legacy" } },
  );
  const requestInit = { headers: { "X-API-Key": key } };
  await client.connect(new StreamableHTTPClientTransport(new URL(`${api}/v2`), { requestInit }));
  onTestFinished(() => client.close());
  // Fills in the schemas that answers are checked against.
  await client.listTools();
  const call: Agent["call"] = async (name, args = {}) => {
    const { content, structuredContent, isError } = await client.callTool({
      name,
      arguments: args,
    });
    const [first] = content;
    const text = first?.type === "text" ? first.text : "";
    return { isError: isError === true, text, fields: Object(structuredContent) };
  };
  const get: Agent["get"] = async (name, args) => {
    const { isError, text, fields } = await call(name, args);
    if (isError) throw new Error(`${name}: ${text}`);
    return fields;
  };
  return {
    client,
    call,
    get,
    create: async (args) => String(Object((await get("create_instance", args)).instance).id),
  };
}
