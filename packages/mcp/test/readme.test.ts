import { Client, InMemoryTransport } from "@modelcontextprotocol/client";
import * as masterClient from "@nodepass/master-client";
import * as mcp from "@nodepass/mcp";
import { Readme } from "test-support/readme";
import { expect, test } from "vitest";
import { startOldMaster } from "./support/old-master.ts";

const readme = new Readme(import.meta.url);

test("README's example prints what it says", async () => {
  const { url, key } = await startOldMaster();
  const known = { ...masterClient, ...mcp, Client, InMemoryTransport, url, key };
  expect(await readme.run(known)).toBe(readme.printed);
});

test("README names every error code", () => {
  expect(readme.untold(readme.codesOf("mcp-error.ts"))).toEqual([]);
});
