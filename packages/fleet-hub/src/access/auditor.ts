import type { AuditEntry } from "@nodepass/model/fleet";

/** Who does something: a caller, or the hub by itself (token `hub`, role `hub`). */
export interface AuditSubject {
  readonly token: string;
  readonly role: string;
  readonly from: string;
}

/** What the hub itself does. */
export const HUB_ITSELF: AuditSubject = { token: "hub", role: "hub", from: "" };

/** What is about to be done. */
export interface AuditedAction {
  /** `service.create`, `master.remove`, `api`, … */
  readonly action: string;
  /** sid, mid or token id. */
  readonly object: string;
  /** Revision that it has. */
  readonly before: number | undefined;
  /** For people; no keys. */
  readonly detail: string;
}

/** What came of something that did not fail. */
export interface AuditedResult {
  /** @default "done" */
  readonly outcome?: "done" | "refused" | "failed";
  /** Added to the action's own; no keys. */
  readonly detail?: string;
}

/** Stores who does what before it is done, and what came of it. */
export interface Auditor {
  /**
   * Stores `intended`, does it, stores `done`, `refused` (an expected `ServiceError`) or `failed`.
   *
   * @param after which revision it has now, by the change's result
   * @param told what else its result says: an outcome other than `done`, and more for people
   * @throws {ServiceError} `UNAVAILABLE` if the intention can't be stored: nothing was done; else
   * what `change` rejects with
   */
  changing<Result>(
    who: AuditSubject,
    action: AuditedAction,
    change: () => Promise<Result>,
    after?: (result: Result) => number | undefined,
    told?: (result: Result) => AuditedResult,
  ): Promise<Result>;
  /** Stores one entry alone. @throws {ServiceError} `UNAVAILABLE` */
  note(who: AuditSubject, action: AuditedAction, outcome: AuditEntry["outcome"]): Promise<void>;
}
