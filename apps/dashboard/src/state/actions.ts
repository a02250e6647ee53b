import { MasterClientError, type RemoteInstance } from "@nodepass/master-client";
import { texts } from "../i18n/index.ts";
import { ask } from "../parts/ask.tsx";
import { downloadText } from "../parts/download.ts";
import { notify } from "../parts/notices.tsx";
import { exportText } from "./export.ts";
import type { Master } from "./master.ts";
import { selected } from "./tunnel-list.ts";

/** What can be done to instances. */
export type Action = "start" | "stop" | "restart" | "reset" | "delete";

/** As many requests at once as a browser opens connections, with one left for the events. */
const AT_ONCE = 4;

/** Name of an instance for people. */
export function nameOf({ alias, id }: RemoteInstance): string {
  return alias || id;
}

/** Does something to instances: asks first where it can't be undone, and says how it went. */
export async function actOn(
  master: Master,
  instances: readonly RemoteInstance[],
  action: Action,
): Promise<void> {
  const t = texts();
  const names = instances.map(nameOf);
  if (action === "delete" || action === "reset") {
    const question = t.questions[action];
    const title = question.title(instances.length);
    if (!(await ask({ title, text: question.text, action: t.actions[action], names }))) return;
  }
  const failures: string[] = [];
  const waiting = [...instances];
  const work = async (): Promise<void> => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
      try {
        await doAction(master, next.id, action);
      } catch (error) {
        const why = error instanceof MasterClientError ? error.message : String(error);
        failures.push(`${nameOf(next)}: ${why}`);
      }
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
  const done = instances.length - failures.length;
  if (done > 0) notify(t.done[action](done === 1 ? (names[0] ?? "") : "", done));
  const [first] = failures;
  if (first !== undefined) notify(t.failed(failures.length, first), "failed");
  if (action === "delete") {
    const gone = new Set(instances.map(({ id }) => id));
    selected.value = new Set([...selected.peek()].filter((id) => !gone.has(id)));
  }
}

async function doAction({ client }: Master, id: string, action: Action): Promise<void> {
  if (action === "delete") await client.remove(id);
  else await client.change(id, { action });
}

/** Downloads instances as a file that `nodepass apply` and `nodepass run` read. */
export function exportInstances(instances: readonly RemoteInstance[]): void {
  const [only] = instances;
  const name = instances.length === 1 && only !== undefined ? nameOf(only) : "tunnels";
  downloadText(`${name.replaceAll(/[^\w.-]+/g, "-")}.nodepass.json`, exportText(instances));
}
