import type { ServerResponse } from "node:http";

/**
 * Sends an answer whose body has no end yet, such as an event stream: what the connection does not
 * take is not read either, a body that fails breaks the connection off (a clean end would look like
 * one that was meant), and a connection that closes cancels the body.
 *
 * @returns resolves when the answer is over, however it ended
 */
export async function sendStream(response: Response, outgoing: ServerResponse): Promise<void> {
  if (response.body === null) throw new TypeError("the answer has no body");
  const reader = response.body.getReader();
  const cancel = (): void => {
    // A body that fails to be cancelled is over all the same.
    reader.cancel().catch(() => undefined);
  };
  outgoing.once("close", cancel);
  // Also while nothing is read from it because the client takes nothing.
  reader.closed.catch(() => outgoing.destroy());
  // It may have closed before there was an answer.
  if (outgoing.destroyed || outgoing.closed) cancel();
  else {
    // Whatever ends a stream of events ends the connection too.
    const isEvents = response.headers.get("content-type")?.startsWith("text/event-stream");
    if (isEvents === true) outgoing.shouldKeepAlive = false;
    outgoing.writeHead(response.status, Object.fromEntries(response.headers));
    outgoing.flushHeaders();
  }
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done || outgoing.destroyed) break;
      if (!outgoing.write(value)) await untilDrained(outgoing);
    }
    outgoing.end();
  } catch {
    // The body says why to whoever made it; the client only sees that it broke off.
    outgoing.destroy();
  } finally {
    outgoing.off("close", cancel);
  }
}

function untilDrained(outgoing: ServerResponse): Promise<void> {
  return new Promise((resolve) => {
    const settle = (): void => {
      outgoing.off("drain", settle).off("close", settle);
      resolve();
    };
    outgoing.on("drain", settle).on("close", settle);
    if (outgoing.destroyed || !outgoing.writableNeedDrain) settle();
  });
}
