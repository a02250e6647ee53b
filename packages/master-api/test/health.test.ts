import { expect, test } from "vitest";
import { createAsked } from "./support/ask.ts";

test.each(["", "/api", "/api/v1"])(
  "%s/healthz and /readyz need no key and say two lines",
  async (base) => {
    const { api, service } = createAsked();
    const ask = (path: string) => api.app.request(`${base}${path}`);
    const alive = await ask("/healthz");
    expect([alive.status, await alive.text()]).toEqual([200, "alive\nnodepass-ts 9.8.7 up 0 s\n"]);
    const ready = await ask("/readyz");
    expect([ready.status, await ready.text()]).toEqual([200, "state ok\nworkers ok\n"]);
    service.ready = { state: true, workers: false };
    const away = await ask("/readyz");
    expect([away.status, await away.text()]).toEqual([503, "state ok\nworkers failed\n"]);
    service.ready = { state: false, workers: true };
    expect(await (await ask("/readyz")).text()).toBe("state failed\nworkers ok\n");
  },
);
