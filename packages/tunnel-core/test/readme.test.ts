import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { promisify } from "node:util";
import { DEFAULT_ENVIRONMENT, describeEnvironment } from "@nodepass/url-config";
import { Readme } from "test-support/readme";
import { describe, expect, test } from "vitest";

/** Called as well while a connection is opened, of which a newcomer need not know. */
const BESIDE_THE_WAY: ReadonlySet<string> = new Set([
  "deadline-queue.ts",
  // Lets users through in turns of the loop.
  "conduit/paced-exit.ts",
  // Asked whether there is something to be done, which there is not by default.
  "exit/target-header.ts",
  "target/port-of.ts",
  "listener/newcomers.ts",
  "names/name-cache.ts",
  "relay/relay-registry.ts",
  "session/control-channel.ts",
  // Whose its addresses are.
  "stream/carried-stream.ts",
  "stream/detached-reader.ts",
  "stream/fast-read.ts",
  "stream/flush-queue.ts",
  // Where libuv hides resets: Node 22, and some of 24.
  "stream/hidden-reset.ts",
  "target/target-health.ts",
  // Only looked at: what it made is on the way.
  "tunnels/create-context.ts",
  "tunnels/client-session.ts",
  "tunnels/client-tunnel.ts",
  "tunnels/log-limiter.ts",
  "tunnels/server-tunnel.ts",
  "tunnels/tunnel-base.ts",
  "wire/endpoint.ts",
  "wire/hello-window.ts",
  "wire/signal-decoder.ts",
  "wire/signal-encoder.ts",
  "wire/signal.ts",
]);

const readme = new Readme(import.meta.url);

describe("README.md", () => {
  test("its example prints what it says, with the built package", async () => {
    expect((await readme.runBuilt()).stdout).toBe(readme.printed);
  });

  test("it tells every option", () => {
    expect(readme.untold(readme.fieldsOf("tunnel.ts", "TunnelOptions"))).toEqual([]);
  });

  test("its limits are those of url-config", () => {
    const due = describeEnvironment().map(({ field, name, meaning }) => [
      field,
      DEFAULT_ENVIRONMENT[field].toLocaleString("en-US"),
      name,
      meaning,
    ]);
    const told = rows("limits").map(([field, value, , name, meaning]) => [
      field,
      value,
      name,
      meaning,
    ]);
    expect(told).toEqual(due);
  });

  test("it tells every error code, once and in order", () => {
    expect(rows("codes").map(([code]) => code)).toEqual(readme.codesOf("errors.ts"));
  });

  test("the files on a user connection's way are those that it goes through, in ten sentences", async () => {
    const way = readme.between("<!-- way -->\n", "<!-- /way -->");
    expect(way.match(/^\d+\. .+\.$/gm)?.length).toBe(10);
    const walk = `${readme.folder}test/support/walk-one-connection.mjs`;
    const { stdout } = await promisify(execFile)(process.execPath, [walk], { cwd: readme.folder });
    const walked: readonly string[] = JSON.parse(stdout);
    const named = filesIn(way);
    expect(named.filter((file) => !walked.includes(file))).toEqual([]);
    const untold = walked.filter((file) => !named.includes(file) && !BESIDE_THE_WAY.has(file));
    expect(untold).toEqual([]);
    // What it tells of the other ways is there as well.
    const others = readme.between("<!-- /way -->", "## Errors");
    expect(filesIn(others).length).toBe(13);
    for (const file of filesIn(others))
      expect(existsSync(`${readme.folder}src/${file}`), file).toBe(true);
  });

  /** The source files that a text names. */
  function filesIn(text: string): string[] {
    return [...text.matchAll(/`([\w-]+(?:\/[\w-]+)*\.ts)`/g)].map(([, file = ""]) => file);
  }

  /** The cells of a table between its two comments, without its head and its back quotes. */
  function rows(name: string): string[][] {
    const [, , ...lines] = readme
      .between(`<!-- ${name} -->\n`, `<!-- /${name} -->`)
      .trim()
      .split("\n");
    return lines.map((line) =>
      line
        .split("|")
        .slice(1, -1)
        .map((cell) => cell.trim().replaceAll("`", "")),
    );
  }
});
