import { render } from "preact";
import { App } from "./app.tsx";
import { followKnownMasters } from "./state/masters.ts";
import { resumeSession } from "./state/session.ts";

const root = document.querySelector("#app");
if (root === null) throw new Error("the page has no #app");
followKnownMasters();
void resumeSession().finally(() => render(<App />, root));
