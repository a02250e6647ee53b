import { afterEach } from "vitest";
import { createMasterApi, type MasterApi, type MasterApiOptions } from "../../src/index.ts";
import { createFakeClock, type FakeClock } from "./fake-clock.ts";
import { FakeService } from "./fake-service.ts";

/** An API over fakes, and a way to ask it. */
export interface Asked {
  readonly api: MasterApi;
  readonly service: FakeService;
  readonly clock: FakeClock;
  /** With the key, unless `key` says another (`undefined`: none). Paths are without the prefix. */
  ask(
    method: string,
    path: string,
    options?: {
      body?: unknown;
      rawBody?: string | Uint8Array<ArrayBuffer> | ReadableStream<Uint8Array>;
      key?: string | undefined;
      headers?: Record<string, string>;
      from?: string;
    },
  ): Promise<Response>;
}

const open: MasterApi[] = [];
afterEach(async () => {
  await Promise.all(open.splice(0).map((api) => api.close()));
});

export function createAsked(options: Partial<MasterApiOptions> & { base?: string } = {}): Asked {
  const { base = "/api", events, ...rest } = options;
  const service = new FakeService();
  const clock = createFakeClock();
  const api = createMasterApi({
    instances: service,
    master: service,
    clock,
    version: "9.8.7",
    // Readers of tests that forget them are broken off at once.
    events: { drainTimeoutMs: 0, ...events },
    ...rest,
  });
  open.push({
    ...api,
    close: async () => {
      const closing = api.close();
      clock.advance(1);
      await closing;
    },
  });
  return {
    api,
    service,
    clock,
    ask: async (method, path, given = {}) => {
      const key = "key" in given ? given.key : service.apiKey();
      const body = given.rawBody ?? (given.body === undefined ? null : JSON.stringify(given.body));
      const init: RequestInit & { duplex: "half" } = {
        method,
        body,
        duplex: "half",
        headers: {
          ...(key === undefined ? {} : { "X-API-Key": key }),
          ...(typeof body === "string" ? { "Content-Type": "application/json" } : {}),
          ...given.headers,
        },
      };
      return api.app.request(`${base}${path}`, init, { remoteAddress: given.from ?? "192.0.2.1" });
    },
  };
}

/** The body of an error answer. */
export async function errorOf(response: Response): Promise<unknown> {
  return ((await response.json()) as { error: unknown }).error;
}
