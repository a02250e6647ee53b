import { IncomingMessage, ServerResponse } from "node:http";
import { isIPv6 } from "node:net";
import { getRequestListener, RequestError } from "@hono/node-server";
import { RESPONSE_ALREADY_SENT } from "@hono/node-server/utils/response";
import { sendStream } from "./send-stream.ts";

/** The application: what Hono's `app.fetch` is. */
export type FetchHandler = (
  request: Request,
  environment: { readonly remoteAddress: string | undefined },
) => Response | Promise<Response>;

/** Event streams have no end of their own. */
const isEventStream = (response: Response): boolean =>
  (response.headers.get("content-type") ?? "").startsWith("text/event-stream");

/**
 * Puts an application behind Node's server. It is told the address of whoever asks.
 *
 * @param isStreamed tells answers that may break off or never end
 */
export function createRequestListener(
  fetch: FetchHandler,
  onError: (error: unknown) => void,
  isStreamed: (response: Response) => boolean = isEventStream,
): (incoming: IncomingMessage, outgoing: ServerResponse) => Promise<void> {
  const answer = async (
    request: Request,
    incoming: IncomingMessage,
    outgoing: ServerResponse,
  ): Promise<Response> => {
    const { remoteAddress } = incoming.socket;
    const response = await fetch(request, { remoteAddress });
    if (response.body === null || !isStreamed(response)) return response;
    await sendStream(response, outgoing);
    return RESPONSE_ALREADY_SENT;
  };

  const listener = getRequestListener(
    (request, environment) => {
      const { incoming, outgoing } = environment;
      // The types know of HTTP/2, which nobody speaks here.
      if (!(incoming instanceof IncomingMessage && outgoing instanceof ServerResponse)) {
        throw new TypeError("not HTTP/1");
      }
      return answer(request, incoming, outgoing);
    },
    {
      // The globals of the process belong to the program, not to this package.
      overrideGlobalObjects: false,
      // For HTTP/1.0, which has no Host.
      hostname: "localhost",
      errorHandler: (error) => {
        const isTheirs = error instanceof RequestError;
        if (!isTheirs) onError(error);
        return Response.json(
          { error: isTheirs ? "Bad request" : "Internal error" },
          { status: isTheirs ? 400 : 500, headers: { "Access-Control-Allow-Origin": "*" } },
        );
      },
    },
  );
  return (incoming, outgoing) => {
    const { headers } = incoming;
    // The adapter takes an IPv6 address in its shortest spelling only; clients send what was typed.
    // Nothing depends on the name.
    const address = /^\[([^\]]+)\](?::\d+)?$/.exec(headers.host ?? "")?.[1];
    if (address !== undefined && isIPv6(address)) headers.host = "localhost";
    return listener(incoming, outgoing);
  };
}
