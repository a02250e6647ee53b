import type { Service } from "@nodepass/model/fleet";
import { reservePort } from "test-support";
import { findNatsServer } from "test-support/nats";
import { describe, expect, onTestFinished, test, vi } from "vitest";
import { runFleetHub } from "../src/index.ts";
import { keyOf } from "../src/services/part-url.ts";
import { TestFleet } from "./support/test-fleet.ts";
import { connectAsHub } from "./trials/support/engine-figures.ts";
import { startRealMaster } from "./trials/support/real-master.ts";

const here = findNatsServer() === undefined ? describe.skip : describe;
const LONG = { timeout: 60_000, interval: 100 };
const HOST = "127.71.9";

here("all that an engine carries in a whole run", () => {
  test("has no tunnel's key, API key, token or URL in it", async () => {
    const fleet = await TestFleet.start();
    onTestFinished(() => fleet.close());
    const port = await reservePort();
    const secrets = { ...fleet.created.hub, hubs: [`http://127.0.0.1:${port}/api`] };
    const engine = await connectAsHub(secrets);
    onTestFinished(() => engine.close());
    const bodies: { readonly subject: string; readonly body: Buffer }[] = [];
    engine.subscribe(">", {
      callback: (_error, { subject, data, headers }) => {
        bodies.push({ subject, body: Buffer.concat([data, Buffer.from(String(headers ?? ""))]) });
      },
    });
    await engine.flush();
    const { url, close } = await runFleetHub({
      secrets,
      version: "test",
      listen: { host: "127.0.0.1", port },
    });
    onTestFinished(close);
    const ask = async <Answer>(method: string, path: string, body?: unknown): Promise<Answer> => {
      const answer = await fetch(`${url.replace(/\/$/, "")}/v1${path}`, {
        method,
        headers: { "X-API-Key": fleet.created.adminToken, "Content-Type": "application/json" },
        ...(body !== undefined && { body: JSON.stringify(body) }),
      });
      const text = await answer.text();
      if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${text}`);
      return (text === "" ? undefined : JSON.parse(text)) as Answer;
    };

    const secret = new Set([
      fleet.created.adminToken,
      fleet.created.adminToken.split("_")[1] ?? "",
    ]);
    for (const n of [1, 2, 3]) {
      const { token } = await ask<{ token: string }>("POST", "/fleet/tokens", { kind: "join" });
      secret.add(token);
      const master = await startRealMaster(`${HOST}.${n}`, token);
      onTestFinished(() => master.close());
      secret.add(master.key);
    }
    const masters = await vi.waitFor(async () => {
      const all = await ask<{ mid: string; status: string; version: string }[]>(
        "GET",
        "/fleet/masters",
      );
      expect(
        all.filter(({ status, version }) => status === "online" && version !== ""),
      ).toHaveLength(3);
      return all;
    }, LONG);
    const [a, b, c] = masters.map(({ mid }) => mid);
    for (const [at, mid] of [a, b, c].entries()) {
      await ask("PATCH", `/fleet/masters/${mid}`, { address: `${HOST}.${at + 1}` });
    }

    const keep = ({ alias, parts }: Service) => {
      secret.add(alias);
      for (const part of parts) {
        secret.add(part.url);
        secret.add(part.url.replace(/^\w+:\/\//, "").split("?")[0] ?? "");
        secret.add(keyOf(part.url) ?? "");
      }
    };
    const pair = await ask<Service>("POST", "/fleet/services", {
      alias: "a-name-of-a-pair",
      parts: [
        { url: `server://0.0.0.0:auto/${HOST}.1:auto?mode=1`, master: a },
        { url: "client://auto/127.0.0.1:4711?mode=2", master: b },
      ],
    });
    keep(pair);
    const moved = await ask<Service>("POST", `/fleet/services/${pair.sid}/move`, {
      part: "client",
      to: c,
      force: false,
    });
    keep(moved);
    expect(moved.parts[1]?.owner).toBe(c);
    expect(keyOf(moved.parts[1]?.url ?? "")).not.toBe(keyOf(pair.parts[1]?.url ?? ""));
    // Through the gateway: what reads, what writes, what streams, and with the master's own key.
    const through = `/masters/${a}/api/v1`;
    const local = await ask<{ id: string; url: string }>("POST", `${through}/instances`, {
      url: `client://thelocalkey@${HOST}.1:4801/127.0.0.1:4712?mode=1&log=none`,
    });
    secret.add("thelocalkey");
    secret.add(local.url);
    await ask("GET", `${through}/instances`);
    await ask("GET", `${through}/info`);
    const own = await fetch(`${url.replace(/\/$/, "")}/v1${through}/instances`, {
      headers: { "X-API-Key": `own-key-of-${HOST}.1` },
    });
    await own.text();
    const ends = new AbortController();
    const events = await fetch(`${url.replace(/\/$/, "")}/v1/fleet/events?instances=true`, {
      headers: { "X-API-Key": fleet.created.adminToken },
      signal: ends.signal,
    });
    expect(events.status).toBe(200);
    const carried = (what: RegExp) => bodies.filter(({ subject }) => what.test(subject)).length;
    await vi.waitFor(() => expect(carried(/^np\.test\.ev\./)).toBeGreaterThan(0), LONG);
    await ask("GET", "/fleet/instances");
    await ask("GET", "/fleet/export");
    await ask("DELETE", `${through}/instances/${local.id}`);
    await ask("DELETE", `/fleet/services/${pair.sid}`);
    ends.abort();
    await engine.flush();

    // All of it went by here.
    for (const what of [
      /\.sync$/,
      /\.apply$/,
      /\.prepare$/,
      /\.api$/,
      /\.done$/,
      /^\$KV\./,
      /^np\.test\.ev\./,
    ]) {
      expect(carried(what), String(what)).toBeGreaterThan(0);
    }
    secret.delete("");
    expect(secret.size).toBeGreaterThan(12);
    const forms = [...secret].flatMap((text) => {
      const bytes = Buffer.from(text);
      return [
        bytes,
        Buffer.from(bytes.toString("base64").slice(0, -4)),
        Buffer.from(bytes.toString("hex")),
      ];
    });
    const all = Buffer.concat(bodies.map(({ body }) => body));
    const seen = forms.filter((form) => form.length > 5 && all.includes(form)).map(String);
    expect(seen).toEqual([]);
  }, 120_000);
});
