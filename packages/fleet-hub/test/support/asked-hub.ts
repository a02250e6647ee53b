import type { FleetRole } from "@nodepass/model/fleet";
import { onTestFinished } from "vitest";
import { createHubApi, type HubApi, type HubApiOptions } from "../../src/index.ts";
import { FakeFleet } from "./fake-fleet.ts";
import { FakeMessenger } from "./fake-messenger.ts";

export const MID = "00000000000000a1";
export const SID = "11111111-2222-4333-8444-555555555555";

/** A hub's API over fakes, and a way to ask it. */
export interface AskedHub {
  readonly api: HubApi;
  readonly fleet: FakeFleet;
  readonly messenger: FakeMessenger;
  ask(
    method: string,
    path: string,
    options?: {
      /** @default "admin" */
      readonly role?: FleetRole | undefined;
      /** In place of a token of that role; `null`: none. */
      readonly key?: string | null;
      readonly body?: unknown;
      readonly rawBody?: string;
      readonly headers?: Readonly<Record<string, string>>;
    },
  ): Promise<Response>;
}

export function createAskedHub(options: Partial<HubApiOptions> & { base?: string } = {}): AskedHub {
  const { base = "/api", ...rest } = options;
  const fleet = new FakeFleet();
  fleet.addMaster(MID, { labels: { region: "eu" }, name: "alpha" });
  fleet.addService(SID);
  const messenger = new FakeMessenger();
  const { presence } = messenger;
  const given = { fleet, messenger, presence, version: "9.8.7", suffix: "gw.example" };
  const events = { drainTimeoutMs: 0 };
  const api = createHubApi({ ...given, events, ...rest });
  onTestFinished(() => api.close());
  const tokens = {
    viewer: fleet.token("viewer"),
    operator: fleet.token("operator"),
    admin: fleet.token("admin"),
  };
  return {
    api,
    fleet,
    messenger,
    ask: async (
      method,
      path,
      { role = "admin", key = tokens[role], body, rawBody, headers } = {},
    ) =>
      api.app.request(
        `${base}${path}`,
        {
          method,
          headers: { ...(key !== null && { "X-API-Key": key }), ...headers },
          body: rawBody ?? (body === undefined ? null : JSON.stringify(body)),
        },
        { remoteAddress: "192.0.2.1" },
      ),
  };
}
