// Opens single-end tunnels in one process, which then have nothing to do.
//
//   node bench/idle-instances.ts path/to/apps/cli/dist/main.js PORT...
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";

const [main = "", ...ports] = process.argv.slice(2);
// The engine of that build, as its command finds it.
const file = createRequire(main).resolve("@nodepass/tunnel-core");
const engine: typeof import("../packages/tunnel-core/src/index.ts") = await import(
  pathToFileURL(file).href
);
const buffers = new engine.RelayBuffers();
for (const port of ports) {
  await engine.openTunnel(`client://127.0.0.1:${port}/127.0.0.1:9?mode=1&log=none`, { buffers });
}
// Without a tunnel nothing else would keep the process.
setInterval(() => undefined, 2 ** 30);
