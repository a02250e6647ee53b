import {
  createMcpHandler,
  isLegacyRequest,
  type Server,
  WebStandardStreamableHTTPServerTransport,
} from "@modelcontextprotocol/server";
import { createMasterClient } from "@nodepass/master-client";
import type { KeyAccess, Logger } from "@nodepass/model";
import { createMcpServer } from "../create-mcp-server.ts";
import type { ExportFile } from "../exports/export-file.ts";

/** What is the same for every request. */
export interface McpEndpointOptions {
  /** Where the API is that `ask` reaches, such as `/api`. */
  readonly prefix: string;
  /** Offer nothing that changes anything. @default false */
  readonly readOnly?: boolean | undefined;
  readonly exportFile: ExportFile;
  /** Of the program. @default "0.0.0" */
  readonly version?: string | undefined;
  /** Where faults of the program are reported. @default nowhere */
  readonly logger?: Logger | undefined;
}

/** A request of an agent whose key has been checked. */
export interface McpHttpRequest {
  readonly request: Request;
  /** Its body as text, of bounded length; empty if there is none. */
  readonly body: string;
  /** The key that it came with, and what that may do. */
  readonly key: string;
  readonly access: KeyAccess;
  /** Asks the API of the master with that key. */
  readonly ask: (request: Request) => Promise<Response>;
}

/** Answers agents over streamable HTTP, without sessions: every request stands for itself. */
export type McpEndpoint = (asked: McpHttpRequest) => Promise<Response>;

const BOTH = "application/json, text/event-stream";

/**
 * Makes the endpoint. Each request gets a server of its own, which asks the master over its API: the
 * same checks, limits and words, whoever asks.
 */
export function createMcpEndpoint(options: McpEndpointOptions): McpEndpoint {
  return async ({ request, body, key, access, ask }) => {
    const { origin } = new URL(request.url);
    const createServer = (likeNodePass2: boolean): Server =>
      createMcpServer({
        ...options,
        access,
        likeNodePass2,
        client: createMasterClient({
          address: { origin, basePaths: [options.prefix] },
          key,
          fetch: (url, init) => ask(new Request(url, init)),
        }),
      });
    const received = asJson(request, body);
    const parsedBody = parse(body);
    if (Array.isArray(parsedBody)) return refuseBatch();
    if (parsedBody === undefined || (await isLegacyRequest(received, parsedBody))) {
      return answerLegacy(createServer(true), received, parsedBody);
    }
    // Streams of changes are not offered, so none is left open.
    const handler = createMcpHandler(() => createServer(false), {
      legacy: "reject",
      maxSubscriptions: 0,
    });
    return handler.fetch(received, { parsedBody });
  };
}

/** Revisions of 2025: one JSON answer, as NodePass 2 has it. */
async function answerLegacy(
  server: Server,
  request: Request,
  parsedBody: unknown,
): Promise<Response> {
  const transport = new WebStandardStreamableHTTPServerTransport({ enableJsonResponse: true });
  await server.connect(transport);
  try {
    return await transport.handleRequest(request, { parsedBody });
  } finally {
    await server.close();
  }
}

/**
 * The request with its body, as JSON whatever its type says: clients of NodePass send none, or a
 * wrong one. Of the two kinds of answers they need not name both.
 */
function asJson(request: Request, body: string): Request {
  const headers = new Headers(request.headers);
  headers.set("content-type", "application/json");
  headers.delete("content-length");
  const accept = headers.get("accept") ?? "*/*";
  if (/application\/(?:json|\*)|\*\/\*/.test(accept)) headers.set("accept", BOTH);
  return new Request(request.url, {
    method: request.method,
    headers,
    body,
    signal: request.signal,
  });
}

function parse(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    // The protocol has an answer for it.
    return undefined;
  }
}

/** One request may not make thousands of calls; the protocol has none since 2025-06-18. */
function refuseBatch(): Response {
  const message = "batches are not taken (allowed: one message a request)";
  const error = { code: -32600, message };
  return Response.json({ jsonrpc: "2.0", id: null, error }, { status: 400 });
}
