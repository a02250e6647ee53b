// A hub in a process of its own, to be frozen and killed: `node hub-process.ts DIR NAME`. Says "open", and
// each time whether it leads, as soon as it can say anything.
import { openFleetHub } from "@nodepass/fleet-hub";

const [, , directory = "", id = "child"] = process.argv;
const hub = await openFleetHub({ secrets: directory, id, version: "test" });
console.log("open");
let last: boolean | undefined;
setInterval(() => {
  const leads = hub.leadership.isLeading();
  if (leads !== last) console.log(leads ? "leads" : "follows");
  last = leads;
}, 5);
process.on("SIGTERM", () => void hub.close().then(() => process.exit(0)));
