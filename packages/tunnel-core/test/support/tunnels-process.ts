// Several tunnels in a process of its own: node tunnels-process.ts <limits as JSON> <url>...
// Says on one line each, as JSON: first where they are to be met, then every 100 ms what they count.
// It ends with its stdin.
import { openTunnel } from "@nodepass/tunnel-core";

const [limits = "{}", ...urls] = process.argv.slice(2);
const tunnels = await Promise.all(
  urls.map((url) => openTunnel(url, { limits: JSON.parse(limits) })),
);
const say = (what: object): void => {
  process.stdout.write(`${JSON.stringify(what)}\n`);
};
say({
  doors: tunnels.map(({ tunnelAddress, entryAddress }) => ({
    tunnel: tunnelAddress?.port,
    entry: entryAddress?.port,
  })),
});
setInterval(() => say({ counters: tunnels.map((tunnel) => tunnel.counters()) }), 100);
process.stdin.on("end", () => process.exit(0)).resume();
