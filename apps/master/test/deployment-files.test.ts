import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describeEnvironment } from "@nodepass/url-config";
import { expect, it } from "vitest";
import { startMaster, temporaryFolder } from "./support/run-master.ts";

const root = fileURLToPath(new URL("../../..", import.meta.url));
const read = (path: string): string => readFileSync(`${root}/${path}`, "utf8");

/** What a master is deployed with, and what says how. */
const files = [
  "Dockerfile",
  "compose.yaml",
  "docs/operations.md",
  ...readdirSync(`${root}/deploy`, { recursive: true, encoding: "utf8" })
    .filter((name) => /\.(?:yaml|service|md)$/.test(name))
    .map((name) => `deploy/${name}`),
];

it("name only variables that a master reads", () => {
  const source = read("packages/master-server/src/master-environment.ts");
  const ours = [...source.matchAll(/\bNP_[A-Z_]+\b/g)].map(([name]) => name);
  // Which URL it has is the command's matter.
  const known = [...ours, "NP_MASTER_URL", ...describeEnvironment().map(({ name }) => name)];
  const named = files.flatMap((path) =>
    Array.from(read(path).matchAll(/\bNP_[A-Z_]+\b/g), ([name]) => ({ path, name })),
  );
  expect(named.map(({ name }) => name)).toEqual(
    expect.arrayContaining(["NP_API_KEY_FILE", "NP_READ_KEY_FILE", "NP_SHOW_KEY", "NP_STATE_DIR"]),
  );
  expect(named.filter(({ name }) => !known.includes(name))).toEqual([]);
});

it("ask probes that answer, whatever the prefix of the API", async () => {
  const paths = new Set(
    Array.from(
      read("deploy/kubernetes/deployment.yaml").matchAll(/httpGet: \{ path: ([^,]+),/g),
      ([, path = ""]) => path,
    ),
  );
  expect([...paths]).toEqual(["/healthz", "/readyz"]);
  const master = await startMaster(temporaryFolder(), { url: "master://127.0.0.1:0/elsewhere" });
  for (const path of paths) {
    const answer = await fetch(new URL(path, master.url));
    expect([path, answer.status]).toEqual([path, 200]);
    expect((await answer.text()).trim().split("\n")).toHaveLength(2);
  }
});
