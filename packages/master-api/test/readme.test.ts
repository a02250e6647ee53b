import { readFile } from "node:fs/promises";
import { expect, test, vi } from "vitest";
import { createMasterApi } from "../src/index.ts";
import { FakeService } from "./support/fake-service.ts";

test("the README's example runs as it stands", async () => {
  const readme = await readFile(new URL("../README.md", import.meta.url), "utf8");
  const example = /```ts\n(.*?)```/s.exec(readme)?.[1] ?? "";
  const [first, ...lines] = example.split("\n");
  expect(first).toBe('import { createMasterApi } from "@nodepass/master-api";');
  // The rest is JavaScript, so it runs without a file of its own.
  const AsyncFunction = (async () => undefined).constructor as new (
    ...parts: string[]
  ) => (...given: unknown[]) => Promise<void>;
  const log = vi.fn();
  const service = new FakeService();
  const run = new AsyncFunction(
    "createMasterApi",
    "instances",
    "master",
    "console",
    lines.join("\n"),
  );
  await run(createMasterApi, service, service, { log });
  expect(log).toHaveBeenCalledExactlyOnceWith(201, [
    expect.objectContaining({ id: "********" }),
    expect.objectContaining({ alias: "web", url: "server://127.0.0.1:10101/127.0.0.1:8080" }),
  ]);
  expect(service.listeners).toBe(0);
});
