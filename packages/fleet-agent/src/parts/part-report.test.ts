import { MAX_MEMBER_PAYLOAD_BYTES, type PartReport, packMessage } from "@nodepass/fleet-protocol";
import { expect, test } from "vitest";
import type { PartEntry } from "../file/fleet-file.ts";
import { reportOf } from "./part-report.ts";

function report(at: number, reason: string): PartReport {
  const entry: PartEntry = {
    ...{ sid: String(at).padStart(64, "s"), part: 1, rev: 2 ** 48, epoch: 2 ** 48, bucket: "b" },
    ...{ running: true, url: "server://:1/:2", alias: "", tags: {}, strict: true, ttlMs: 15_000 },
    ...{ instance: null, tries: 1, reason },
    policy: { failover: "strict", ttl: 300, failback: "healthy" },
    proof: new Uint8Array(32),
  };
  return reportOf(entry, undefined);
}

test("500 parts that failed for the longest reasons are one message that the engine takes", () => {
  const reason = "URL \u{1f4a5}ü ".repeat(2000);
  const parts = Array.from({ length: 500 }, (_, at) => report(at, reason));
  expect(packMessage({ parts }).byteLength).toBeLessThan(MAX_MEMBER_PAYLOAD_BYTES - 16 * 1024);
  const [first] = parts;
  expect(reason.startsWith(first?.reason ?? " ")).toBe(true);
  expect(Buffer.byteLength(first?.reason ?? "")).toBeGreaterThan(990);
  expect(Buffer.from(first?.reason ?? "").toString()).toBe(first?.reason);
});

test("a short reason is told whole", () => {
  expect(report(0, "it is too late").reason).toBe("it is too late");
});
