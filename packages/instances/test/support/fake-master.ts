import type { InstanceEvent } from "@nodepass/model";
import type { MasterState } from "@nodepass/store";
import { DEFAULT_ENVIRONMENT } from "@nodepass/url-config";
import type { InstanceManager } from "../../src/instance-manager.ts";
import { createInstanceManagerWith } from "../../src/local-instances.ts";
import type { InstanceManagerOptions } from "../../src/manager-options.ts";
import { createMasterState } from "../../src/master-identity.ts";
import { localThreads } from "../../src/workers/local-threads.ts";
import type { StartThread, TunnelThread } from "../../src/workers/tunnel-thread.ts";
import { FakeStore } from "./fake-store.ts";
import { FakeTunnels } from "./fake-tunnel.ts";

/** A manager over fake tunnels and a store in memory, with all that it told. */
export interface FakeMaster {
  readonly manager: InstanceManager;
  readonly store: FakeStore;
  readonly tunnels: FakeTunnels;
  readonly events: InstanceEvent[];
  /** Ends the thread that was started last, with its tunnels. */
  crash(reason: string): void;
  /** `update running`, `log warn text`, ... */
  told(): string[];
}

export function fakeMaster(
  options: Partial<InstanceManagerOptions> = {},
  state: MasterState = createMasterState(),
): FakeMaster {
  const store = new FakeStore();
  const tunnels = new FakeTunnels();
  const events: InstanceEvent[] = [];
  const settings = { limits: DEFAULT_ENVIRONMENT, counterIntervalMs: 250 };
  const start = localThreads(settings, tunnels.open);
  const started: TunnelThread[] = [];
  const startThread: StartThread = (name, handlers) => {
    const thread = start(name, handlers);
    started.push(thread);
    return thread;
  };
  const manager = createInstanceManagerWith(
    {
      store,
      state,
      workers: 0,
      formatLog: ({ level, message }) => `${level} ${message}`,
      ...options,
    },
    { startThread },
  );
  manager.subscribe((event) => events.push(event));
  const tell = (event: InstanceEvent): string => {
    if (event.type === "shutdown") return "shutdown";
    return event.type === "log" ? `log ${event.line}` : `${event.type} ${event.instance.status}`;
  };
  const crash = (reason: string): void => started.at(-1)?.terminate(reason);
  return { manager, store, tunnels, events, crash, told: () => events.map(tell) };
}
