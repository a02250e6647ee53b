import { once } from "node:events";
import { createServer, get, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import { expect, it, onTestFinished, vi } from "vitest";
import { sendStream } from "../src/http/send-stream.ts";

/** Serves one stream; what it is asked for and whether it was cancelled can be watched. */
async function serve() {
  let pulled = 0;
  let controller: ReadableStreamDefaultController<Uint8Array> | undefined;
  const onCancel = vi.fn();
  const chunk = new Uint8Array(65_536).fill(97);
  const body = new ReadableStream<Uint8Array>(
    {
      start: (given) => {
        controller = given;
      },
      pull: (given) => {
        pulled += 1;
        given.enqueue(chunk);
      },
      cancel: onCancel,
    },
    { highWaterMark: 0 },
  );
  const ended = vi.fn();
  const server = createServer((_request, outgoing) => {
    const headers = { "Content-Type": "text/event-stream" };
    void sendStream(new Response(body, { headers }), outgoing).then(ended);
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const request = get({ host: "127.0.0.1", port, agent: false });
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    request.once("response", resolve).once("error", reject);
  });
  /** Until nothing more is asked for: there is no event for that which does not come. */
  const untilFull = async () => {
    let before: number;
    do {
      before = pulled;
      await new Promise((resolve) => setTimeout(resolve, 100));
    } while (pulled !== before);
    return pulled;
  };
  return { response, untilFull, ended, onCancel, controller, chunk };
}

it("reads no more than the connection takes", async () => {
  const { untilFull, response, ended } = await serve();
  // Buffers of the system take some megabytes.
  expect(await untilFull()).toBeLessThan(1000);
  expect(ended).not.toHaveBeenCalled();
  response.destroy();
  await vi.waitFor(() => expect(ended).toHaveBeenCalled());
});

it("cancels the body when the client goes, also one that does not read", async () => {
  const { untilFull, response, ended, onCancel } = await serve();
  await untilFull();
  response.destroy();
  await vi.waitFor(() => expect(ended).toHaveBeenCalled());
  expect(onCancel).toHaveBeenCalledTimes(1);
});

it("breaks the connection off when the body fails while the client does not read", async () => {
  const { untilFull, response, ended, controller } = await serve();
  await untilFull();
  controller?.error(new Error("reader is too slow"));
  await vi.waitFor(() => expect(ended).toHaveBeenCalled());
  // Not a clean end: what is left of the buffers, then an error, and no word of the reason.
  const outcome = await text(response).catch((error: unknown) => error);
  expect(outcome).toMatchObject({ code: "ECONNRESET" });
});

it("ends cleanly when the body ends", async () => {
  const { response, ended, controller } = await serve();
  controller?.close();
  expect(await text(response)).toMatch(/^a*$/);
  expect(response.headers.connection).toBe("close");
  await vi.waitFor(() => expect(ended).toHaveBeenCalled());
});
