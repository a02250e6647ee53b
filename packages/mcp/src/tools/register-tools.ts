import {
  type CallToolResult,
  ProtocolError,
  ProtocolErrorCode,
  type Server,
} from "@modelcontextprotocol/server";
import { closestName } from "@nodepass/url-config";
import { explainError } from "../explain-error.ts";
import { ALL_TOOLS, isOffered, type ToolLimits } from "./all-tools.ts";
import type { Tool, ToolContext } from "./tool.ts";

/** How tools are offered. */
export interface RegisterToolsOptions extends ToolLimits {
  readonly context: Omit<ToolContext, "signal">;
  /** Put the fields of results beside `content`, where clients of NodePass 2 look for them. */
  readonly likeNodePass2: boolean;
  /** Is told of faults of the program. */
  readonly onFault: (tool: string, error: unknown) => void;
}

/** Offers the tools. */
export function registerTools(server: Server, options: RegisterToolsOptions): void {
  const offered = new Map([...ALL_TOOLS].filter(([, tool]) => isOffered(tool, options)));
  server.registerCapabilities({ tools: { listChanged: false } });
  server.setRequestHandler("tools/list", () => ({
    tools: [...offered.values()].map(({ description }) => description),
  }));
  server.setRequestHandler("tools/call", async ({ params }, { mcpReq }) => {
    const tool = offered.get(params.name);
    if (tool === undefined) throw notOffered(params.name, [...offered.keys()], options);
    const context = { ...options.context, signal: mcpReq.signal };
    const result = await call(tool, params.arguments ?? {}, context, options);
    return server.projectCallToolResult(result, tool.description.outputSchema);
  });
}

async function call(
  tool: Tool,
  args: unknown,
  context: ToolContext,
  { likeNodePass2, onFault }: RegisterToolsOptions,
): Promise<CallToolResult> {
  try {
    const structuredContent = { ...(await tool.call(args, context)) };
    return {
      ...(likeNodePass2 && structuredContent),
      content: [{ type: "text", text: JSON.stringify(structuredContent) }],
      structuredContent,
    };
  } catch (error) {
    const text = explainError(error);
    if (text === undefined) onFault(tool.description.name, error);
    return { content: [{ type: "text", text: text ?? "internal error" }], isError: true };
  }
}

function notOffered(name: string, names: readonly string[], limits: ToolLimits): ProtocolError {
  const list = names.join(", ");
  const shown = JSON.stringify(name.slice(0, 80));
  if (ALL_TOOLS.has(name)) {
    const why =
      limits.access === "read" ? "this key may only read" : "only reading is allowed here";
    return new ProtocolError(
      ProtocolErrorCode.InvalidParams,
      `${why}: ${shown} is not offered (allowed: ${list})`,
    );
  }
  const meant = closestName(name, names);
  const hint = meant === undefined ? "" : `; did you mean ${meant}?`;
  return new ProtocolError(
    ProtocolErrorCode.InvalidParams,
    `no tool ${shown} (allowed: ${list})${hint}`,
  );
}
