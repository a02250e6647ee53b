import type { HostPort, ProxyAddress } from "@nodepass/url-config";
import type { DeadlineQueue } from "../deadline-queue.ts";
import type { TunnelContext } from "../tunnel-context.ts";
import type { TargetHealth } from "./target-health.ts";

/** What has a time limit while a target is dialled. */
export interface Timed {
  timeOut(): void;
  /** The tunnel closes. */
  abort(): void;
}

/** What begins its next attempt beside the one under way. */
export interface Staggered {
  goOn(): void;
}

/** What all dials of a tunnel end share. */
export interface DialParts {
  readonly context: TunnelContext;
  readonly health: TargetHealth;
  readonly deadlines: DeadlineQueue<Timed>;
  /** Dials that begin their next attempt beside those under way. */
  readonly staggered: DeadlineQueue<Staggered>;
  /** Source address, or `undefined` for the system's choice. */
  readonly localAddress: string | undefined;
  /** The proxy on the way to a target. @throws {TunnelError} `PROXY_FAILED` */
  proxyTo(target: HostPort): ProxyAddress | undefined;
}
