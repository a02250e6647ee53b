import { render } from "preact";
import { App } from "./app.tsx";
import { followKnownMasters } from "./state/masters.ts";
import { isHub, masterServer, resumeSession } from "./state/session.ts";

const root = document.querySelector("#app");
if (root === null) throw new Error("the page has no #app");

/** What a hub's page needs beyond a master's is loaded there alone. */
async function start(into: Element): Promise<void> {
  if (isHub) {
    const { FleetApp, hubServer } = await import("./fleet/index.ts");
    await resumeSession(hubServer).finally(() => render(<FleetApp />, into));
  } else {
    followKnownMasters();
    await resumeSession(masterServer).finally(() => render(<App />, into));
  }
}

void start(root);
