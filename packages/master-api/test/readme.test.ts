import { Readme } from "test-support/readme";
import { expect, test, vi } from "vitest";
import { createMasterApi } from "../src/index.ts";
import { FakeService } from "./support/fake-service.ts";

test("the README's example runs as it stands", async () => {
  const log = vi.fn();
  const service = new FakeService();
  await new Readme(import.meta.url).run(
    { createMasterApi, instances: service, master: service, console: { log } },
    "ts",
  );
  expect(log).toHaveBeenCalledExactlyOnceWith(201, [
    expect.objectContaining({ id: "********" }),
    expect.objectContaining({ alias: "web", url: "server://127.0.0.1:10101/127.0.0.1:8080" }),
  ]);
  expect(service.listeners).toBe(0);
});
