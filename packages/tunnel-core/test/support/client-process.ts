// A client in a process of its own, to be stopped and killed by tests: node client-process.ts <url>
import { openTunnel } from "@nodepass/tunnel-core";

const tunnel = await openTunnel(process.argv[2] ?? "", {
  limits: { reportIntervalMs: 300, serviceCooldownMs: 100 },
});
await tunnel.ready();
process.stdout.write("ready\n");
