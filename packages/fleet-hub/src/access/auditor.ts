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

/** Stores who does what before it is done, and what came of it. */
export interface Auditor {
  /**
   * Stores `intended`, does it, stores `done`, `refused` (an expected `ServiceError`) or `failed`.
   *
   * @param change its result says which revision it has now
   * @throws {ServiceError} `UNAVAILABLE` if the intention can't be stored: nothing was done; else
   * what `change` rejects with
   */
  changing<Result>(
    who: AuditSubject,
    action: AuditedAction,
    change: () => Promise<Result>,
    after?: (result: Result) => number | undefined,
  ): Promise<Result>;
  /** Stores one entry alone. @throws {ServiceError} `UNAVAILABLE` */
  note(who: AuditSubject, action: AuditedAction, outcome: AuditEntry["outcome"]): Promise<void>;
}
