import { systemClock } from "@nodepass/master-api";
import { type Logger, ServiceError, SILENT_LOGGER } from "@nodepass/model";
import type { AuditEntry } from "@nodepass/model/fleet";
import { expect, test } from "vitest";
import { StoreError } from "../store/fleet-store.ts";
import { createAuditor } from "./store-auditor.ts";

const WHO = { token: "t", role: "admin", from: "192.0.2.1" };
const ACTION = { action: "service.change", object: "s", before: 3, detail: "alias" };

function auditing(fails: (entry: Omit<AuditEntry, "sequence">) => boolean = () => false) {
  const entries: Omit<AuditEntry, "sequence">[] = [];
  const errors: string[] = [];
  const logger: Logger = { ...SILENT_LOGGER, error: (_, message) => errors.push(message) };
  const store = {
    audit: (entry: Omit<AuditEntry, "sequence">) => {
      if (fails(entry)) return Promise.reject(new StoreError("UNAVAILABLE", "disk full"));
      return Promise.resolve(entries.push(entry));
    },
  };
  return { entries, errors, audit: createAuditor(store, systemClock, logger) };
}

test("the intention is stored before the change, its outcome after it", async () => {
  const { entries, audit } = auditing();
  const seen: number[] = [];
  const change = async () => {
    seen.push(entries.length);
    return { revision: 4 };
  };
  await audit.changing(WHO, ACTION, change, ({ revision }) => revision);
  expect(seen).toEqual([1]);
  expect(entries).toMatchObject([
    {
      ...WHO,
      action: "service.change",
      object: "s",
      before: "3",
      after: null,
      outcome: "intended",
    },
    { before: "3", after: "4", outcome: "done", detail: "alias" },
  ]);
});

test("what can't be stored as intended is not done", async () => {
  const { audit } = auditing(() => true);
  let done = false;
  const change = audit.changing(WHO, ACTION, async () => {
    done = true;
  });
  await expect(change).rejects.toMatchObject({ code: "UNAVAILABLE" });
  expect(done).toBe(false);
  await expect(audit.note(WHO, ACTION, "intended")).rejects.toMatchObject({ code: "UNAVAILABLE" });
});

test("refusals and failures are told apart, with their reasons", async () => {
  const { entries, audit } = auditing();
  const refused = new ServiceError("CONFLICT", "changed by another");
  await expect(audit.changing(WHO, ACTION, () => Promise.reject(refused))).rejects.toBe(refused);
  const failed = new TypeError("secret=1");
  await expect(audit.changing(WHO, ACTION, () => Promise.reject(failed))).rejects.toBe(failed);
  const away = new ServiceError("UNAVAILABLE", "the engine is gone");
  await expect(audit.changing(WHO, ACTION, () => Promise.reject(away))).rejects.toBe(away);
  const outcomes = entries.filter(({ outcome }) => outcome !== "intended");
  expect(outcomes.map(({ outcome, detail }) => `${outcome}: ${detail}`)).toEqual([
    "refused: alias: changed by another",
    "failed: alias: an unexpected failure",
    "failed: alias: the engine is gone",
  ]);
});

test("a change that was done stays done if only its outcome can't be stored", async () => {
  const { errors, audit } = auditing(({ outcome }) => outcome === "done");
  expect(await audit.changing(WHO, ACTION, () => Promise.resolve(7))).toBe(7);
  expect(errors).toHaveLength(1);
});
