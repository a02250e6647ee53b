import { once } from "node:events";
import type { IncomingMessage } from "node:http";
import type { Fetch, FetchInit } from "../exchange.ts";
import { openSocket } from "./open-socket.ts";
import type { Trust } from "./trust.ts";

// Not an `import`: that evaluates all exports of the module, and one of them, `WebSocket`, loads
// Node's whole fetch client and HTTP/2, in every process that only reads what a fingerprint is.
const { request } = process.getBuiltinModule("node:http");

/**
 * A `fetch` over a connection of its own for each request, which checks the certificate before a
 * byte is sent: the platform's own can neither pin one nor say which it was.
 *
 * @throws {MasterClientError} `UNREACHABLE` if the certificate is not good; else what Node throws
 */
export function createNodeFetch(trust: Trust): Fetch {
  return async (url, init) => {
    const { origin, pathname, search } = new URL(url);
    const incoming = await send(origin, `${pathname}${search}`, trust, init);
    const { statusCode: status = 500 } = incoming;
    // Told to whoever reads; nobody may.
    incoming.on("error", () => undefined);
    const onAbort = (): void => {
      incoming.destroy(new Error("the request was given up"));
    };
    init.signal.addEventListener("abort", onAbort, { once: true });
    if (init.signal.aborted) onAbort();
    incoming.once("close", () => init.signal.removeEventListener("abort", onAbort));
    const isEmpty = status === 204 || status === 205 || status === 304;
    if (isEmpty) incoming.resume();
    return new Response(isEmpty ? null : toWeb(incoming), { status, headers: headersOf(incoming) });
  };
}

async function send(
  origin: string,
  path: string,
  trust: Trust,
  { method, headers, body, signal }: FetchInit,
): Promise<IncomingMessage> {
  const socket = await openSocket(origin, trust, signal);
  // node:http even where the socket is TLS: the socket is ready, and `https` would connect again.
  const message = request({
    createConnection: () => socket,
    method,
    path,
    headers: {
      host: new URL(origin).host,
      ...headers,
      ...(body !== undefined && { "content-length": Buffer.byteLength(body) }),
    },
  });
  // A request fails with its answer, too, when nobody waits for it any more.
  message.on("error", () => undefined);
  message.end(body);
  try {
    const [response] = await once(message, "response", { signal });
    return response;
  } catch (error) {
    message.destroy();
    throw error;
  }
}

/** The body as it comes, not a chunk ahead of its reader. */
function toWeb(incoming: IncomingMessage): ReadableStream<Uint8Array> {
  const chunks: AsyncIterator<Buffer> = incoming[Symbol.asyncIterator]();
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        const { done, value } = await chunks.next();
        if (done === true) controller.close();
        else controller.enqueue(value);
      },
      cancel: () => {
        incoming.destroy();
      },
    },
    { highWaterMark: 0 },
  );
}

function headersOf({ rawHeaders }: IncomingMessage): Headers {
  const headers = new Headers();
  for (let at = 0; at + 1 < rawHeaders.length; at += 2) {
    headers.append(rawHeaders[at] ?? "", rawHeaders[at + 1] ?? "");
  }
  return headers;
}
