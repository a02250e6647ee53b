import type { Clock } from "@nodepass/master-api";
import { type Logger, ServiceError, type ServiceErrorCode } from "@nodepass/model";
import type { AuditEntry } from "@nodepass/model/fleet";
import { type FleetStore, StoreError } from "../store/fleet-store.ts";
import type { AuditedAction, Auditor, AuditSubject } from "./auditor.ts";

/** What a caller did wrong, or what was in the way of it; the rest is a failure. */
const REFUSALS: readonly ServiceErrorCode[] = [
  "NOT_FOUND",
  "INVALID",
  "INVALID_URL",
  "FORBIDDEN",
  "CONFLICT",
  "SAME_URL",
  "PRECONDITION",
  "LIMIT_REACHED",
];

/** Writes the audit stream: the intention before, the outcome after. */
export function createAuditor(
  store: Pick<FleetStore, "audit">,
  clock: Clock,
  logger: Logger,
): Auditor {
  const write = (
    { token, role, from }: AuditSubject,
    { action, object, before, detail }: AuditedAction,
    outcome: AuditEntry["outcome"],
    after?: number,
  ) =>
    store.audit({
      time: new Date(clock.now()).toISOString(),
      token,
      role,
      from,
      action,
      object,
      before: before === undefined ? null : String(before),
      after: after === undefined ? null : String(after),
      outcome,
      detail,
    });

  /** The change is done or not, whatever becomes of this. */
  const conclude = async (...entry: Parameters<typeof write>) => {
    try {
      await write(...entry);
    } catch (error) {
      const [, { action, object }, outcome] = entry;
      const fields = { action, object, outcome, error: String(error) };
      logger.error(fields, "an outcome can't be stored in the audit; its intention is");
    }
  };

  const intend = async (...entry: Parameters<typeof write>) => {
    try {
      await write(...entry);
    } catch (error) {
      const why = error instanceof StoreError ? `: ${error.message}` : "";
      const message = `refused, since the audit can't be stored${why}`;
      throw new ServiceError("UNAVAILABLE", message, { cause: error });
    }
  };

  return {
    changing: async (who, action, change, after, told) => {
      await intend(who, action, "intended");
      try {
        const result = await change();
        const { outcome = "done", detail } = told?.(result) ?? {};
        await conclude(who, withDetail(action, detail), outcome, after?.(result));
        return result;
      } catch (error) {
        const isRefusal = error instanceof ServiceError && REFUSALS.includes(error.code);
        const why = error instanceof ServiceError ? error.message : "an unexpected failure";
        await conclude(who, withDetail(action, why), isRefusal ? "refused" : "failed");
        throw error;
      }
    },
    note: (who, action, outcome) => intend(who, action, outcome),
  };
}

function withDetail(action: AuditedAction, more = ""): AuditedAction {
  const detail = [action.detail, more].filter((text) => text !== "").join(": ");
  return { ...action, detail };
}
