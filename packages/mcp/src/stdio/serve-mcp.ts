import type { Readable, Writable } from "node:stream";
import { ProtocolErrorCode } from "@modelcontextprotocol/server";
import { StdioServerTransport, serveStdio } from "@modelcontextprotocol/server/stdio";
import type { MasterClient } from "@nodepass/master-client";
import type { KeyAccess } from "@nodepass/model";
import { createMcpServer, type McpServerOptions } from "../create-mcp-server.ts";

/** How an agent is served over two streams. */
export interface ServeMcpOptions extends Omit<McpServerOptions, "access" | "likeNodePass2"> {
  readonly input: Readable;
  /** Carries the protocol, and nothing else may. */
  readonly output: Writable;
  /** Is told of messages that could not be read, and of what could not be sent. */
  readonly onError?: ((error: Error) => void) | undefined;
}

/** An agent that is being served. */
export interface ServedMcp {
  /** Resolves when the agent has closed its end, or the connection was closed here. */
  readonly closed: Promise<void>;
  close(): Promise<void>;
}

/** Longest message, as over HTTP. */
const mostBytes = 1_048_576;

const LF = 0x0a;

/**
 * Serves one agent over standard streams, in every revision of the protocol that the SDK knows.
 *
 * @example
 * const { closed } = serveMcp({ client, exportFile, input: process.stdin, output: process.stdout });
 */
export function serveMcp(options: ServeMcpOptions): ServedMcp {
  const { input, output, client, onError = () => undefined } = options;
  let finish: () => void = () => undefined;
  const closed = new Promise<void>((resolve) => {
    finish = resolve;
  });
  class Transport extends StdioServerTransport {
    override async start(): Promise<void> {
      await super.start();
      answerNoise(input, output);
    }

    override async close(): Promise<void> {
      await super.close();
      finish();
    }
  }
  const served = serveStdio(
    async () => createMcpServer({ ...options, access: await accessOf(client) }),
    {
      transport: new Transport(input, output, { maxBufferSize: mostBytes }),
      maxSubscriptions: 0,
      onerror: onError,
    },
  );
  return { closed, close: () => served.close() };
}

/** The answer to what is no JSON (JSON-RPC 2.0, section 5): whose it would be is not known. */
const PARSE_ERROR = `${JSON.stringify({
  jsonrpc: "2.0",
  id: null,
  error: { code: ProtocolErrorCode.ParseError, message: "Parse error: the line is no JSON" },
})}\n`;

/** Answers lines that are no JSON, which the SDK passes over. Bounded as its own buffer is. */
function answerNoise(input: Readable, output: Writable): void {
  let begun: Buffer[] = [];
  let size = 0;
  input.on("data", (chunk: Buffer) => {
    let from = 0;
    for (let end = chunk.indexOf(LF); end >= 0; end = chunk.indexOf(LF, from)) {
      const line = Buffer.concat([...begun, chunk.subarray(from, end)]).toString();
      begun = [];
      size = 0;
      from = end + 1;
      if (line.trim() !== "" && !isJson(line) && output.writable) output.write(PARSE_ERROR);
    }
    size += chunk.length - from;
    // Of a longer line the transport closes.
    if (size <= mostBytes) begun.push(chunk.subarray(from));
  });
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

/** A master that does not answer now may do so later: then it says itself what the key may not. */
async function accessOf(client: MasterClient): Promise<KeyAccess> {
  try {
    return await client.access();
  } catch {
    return "full";
  }
}
