import { once } from "node:events";
import { createServer, type ServerResponse } from "node:http";
import { json } from "node:stream/consumers";
import { onTestFinished } from "vitest";

/** As much of a NodePass 1.14 master as the README's example asks; gone when the test ends. */
export async function startPlainMaster(): Promise<{ readonly url: string; readonly key: string }> {
  const key = "the-key-of-the-plain-master";
  const instances = new Map<string, object>();
  const send = (response: ServerResponse, status: number, body?: unknown) => {
    response.writeHead(status, { "content-type": "application/json" });
    response.end(body === undefined ? undefined : JSON.stringify(body));
  };
  const server = createServer((request, response) => {
    const { method = "", url = "" } = request;
    const path = url.replace(/^\/api\/v1/, "");
    if (request.headers["x-api-key"] !== key) {
      send(response, 401, { error: "Unauthorized" });
    } else if (path === "/events") {
      response.writeHead(200, { "content-type": "text/event-stream" });
      response.write("retry: 3000\n\n");
      for (const instance of instances.values()) {
        const event = { type: "initial", time: "2026-01-02T03:04:05Z", instance, logs: "" };
        response.write(`event: instance\ndata: ${JSON.stringify(event)}\n\n`);
      }
    } else if (method === "POST") {
      void json(request).then((body) => {
        const made = { id: "a1b2c3d4", type: "client", status: "running", ...Object(body) };
        instances.set("a1b2c3d4", made);
        send(response, 201, made);
      });
    } else if (method === "DELETE") {
      instances.clear();
      response.writeHead(204).end();
    } else {
      send(response, 200, [...instances.values()]);
    }
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => {
    server.close();
    server.closeAllConnections();
  });
  const address = server.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  return { url: `http://127.0.0.1:${port}`, key };
}
