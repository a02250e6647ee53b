import type { TunnelError } from "../errors.ts";
import type { TunnelContext } from "../tunnel-context.ts";
import type { ConnectionRefusal } from "../tunnel-reports.ts";

/** What a connection has carried, bytes. */
export interface CarriedBytes {
  readonly receivedBytes: number;
  readonly sentBytes: number;
}

/** Tells of a connection; callers look first whether anybody listens. */
type Hears = Pick<TunnelContext, "onConnection">;

export function opened({ onConnection }: Hears, remote: string): void {
  onConnection?.({ what: "opened", remote, reason: undefined, receivedBytes: 0, sentBytes: 0 });
}

export function refused({ onConnection }: Hears, remote: string, reason: ConnectionRefusal): void {
  onConnection?.({ what: "refused", remote, reason, receivedBytes: 0, sentBytes: 0 });
}

export function closed(
  { onConnection }: Hears,
  remote: string,
  { receivedBytes, sentBytes }: CarriedBytes,
  reason: ConnectionRefusal | undefined,
): void {
  onConnection?.({ what: "closed", remote, reason, receivedBytes, sentBytes });
}

/** Why a connection did not come about, from what its conduit or its target says. */
export function refusalOf({ code }: TunnelError): ConnectionRefusal {
  if (code === "POOL_TIMEOUT") return "pool-timeout";
  return code === "CLOSED" ? "closing" : "target";
}
