// One tunnel end in a process of its own, told what to do over the process channel.
import { createServer } from "node:net";
import { getHeapSpaceStatistics } from "node:v8";
import { openTunnel, type Tunnel } from "../../../src/index.ts";
import type { EndAnswer, EndOrder, EndStats } from "./end-protocol.ts";

let tunnel: Tunnel | undefined;

function tell(answer: EndAnswer): void {
  process.send?.(answer);
}

function stats(collect: boolean): EndStats {
  if (collect) globalThis.gc?.();
  const handles: Record<string, number> = {};
  for (const kind of process.getActiveResourcesInfo()) handles[kind] = (handles[kind] ?? 0) + 1;
  const { rss, heapUsed, external, arrayBuffers } = process.memoryUsage();
  const spaces = Object.fromEntries(
    getHeapSpaceStatistics().map((space) => [space.space_name, space.space_used_size]),
  );
  const counters = tunnel?.counters();
  const entryPort = tunnel?.entryAddress?.port;
  const now = Date.now();
  return { rss, heapUsed, external, arrayBuffers, spaces, handles, counters, entryPort, now };
}

async function obey(order: EndOrder): Promise<void> {
  if (order.order === "open") {
    tunnel = await openTunnel(order.url, {
      limits: order.limits,
      onCreate: (made) => {
        made.on("log", (record) => tell({ tell: "log", record }));
        made.on("state", (state, reason) => tell({ tell: "state", state, reason, at: Date.now() }));
      },
    });
    const { tunnelAddress, entryAddress } = tunnel;
    tell({ tell: "open", tunnelPort: tunnelAddress?.port, entryPort: entryAddress?.port });
  } else if (order.order === "stats") {
    tell({ tell: "stats", stats: stats(order.collect) });
  } else if (order.order === "echo") {
    const target = createServer({ allowHalfOpen: true }, (socket) => {
      socket.on("error", () => socket.destroy());
      socket.pipe(socket);
    });
    target.listen(0, "127.0.0.1", () => {
      const address = target.address();
      const port = typeof address === "object" && address !== null ? address.port : 0;
      tell({ tell: "echo", port });
    });
  } else {
    await tunnel?.close({ timeoutMs: order.timeoutMs });
    tunnel = undefined;
    tell({ tell: "closed" });
  }
}

process.on("message", (order: EndOrder) => {
  obey(order).catch((error: unknown) => {
    tell({ tell: "failed", message: error instanceof Error ? error.message : String(error) });
  });
});
process.on("disconnect", () => process.exit());
