// A hub with its HTTP API, in a process of its own: `node hub-child.ts DIR NAME PORT`, with a channel to its parent.
import { setFlagsFromString } from "node:v8";
import { answerParent, tellParent } from "./calls.ts";

// As `nodepass fleet hub` does, before the hub is loaded.
setFlagsFromString("--semi-space-growth-factor=1");
const { runFleetHub } = await import("@nodepass/fleet-hub");

const [, , directory = "", id = "hub", port = "0"] = process.argv;
const { hub, url, close } = await runFleetHub({
  secrets: directory,
  id,
  version: "trial",
  listen: { host: "127.0.0.1", port: Number(port) },
});
const NOBODY = { token: "trial", role: "admin", selector: [], from: "" } as const;
answerParent({
  figures: () => ({ ...hub.figures(), alarms: hub.fleet.info(NOBODY).alarms }),
  leads: () => hub.leadership.isLeading(),
  statuses: () => {
    const counts: Record<string, number> = {};
    for (const mid of hub.index.members.keys()) {
      const { status, synced } = hub.presence.facts(mid);
      const what = status === "online" && synced ? "synced" : status;
      counts[what] = (counts[what] ?? 0) + 1;
    }
    return counts;
  },
  close: () => close(),
});
tellParent({ url });
