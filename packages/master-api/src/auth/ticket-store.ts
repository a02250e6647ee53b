import { createHash, randomBytes } from "node:crypto";
import type { Clock } from "../clock.ts";

/** One ticket, valid once. */
export interface Ticket {
  readonly ticket: string;
  /** Milliseconds since 1970. */
  readonly expiresAt: number;
}

/** Short-lived stand-ins for the key, for browsers whose EventSource sends no headers. */
export interface TicketStore {
  issue(): Ticket;
  /** Whether the ticket was good; it is used up in any case. */
  consume(ticket: string): boolean;
  /** Makes all of them worthless. */
  clear(): void;
}

/** Looked up by digest: how long a look-up takes tells nothing about the tickets that exist. */
function digest(ticket: string): string {
  return createHash("sha256").update(ticket).digest("base64");
}

export function createTicketStore(
  clock: Clock,
  limits: { readonly ticketLifeMs: number; readonly maxTickets: number },
): TicketStore {
  /** Digest to the monotonic time of its end; the oldest first. */
  const tickets = new Map<string, number>();

  const forgetOld = (now: number): void => {
    for (const [key, endsAt] of tickets) {
      if (endsAt > now && tickets.size <= limits.maxTickets) return;
      tickets.delete(key);
    }
  };

  return {
    issue() {
      const ticket = randomBytes(32).toString("base64url");
      tickets.set(digest(ticket), clock.monotonic() + limits.ticketLifeMs);
      forgetOld(clock.monotonic());
      return { ticket, expiresAt: clock.now() + limits.ticketLifeMs };
    },
    consume(ticket) {
      const key = digest(ticket);
      const endsAt = tickets.get(key);
      tickets.delete(key);
      return endsAt !== undefined && endsAt > clock.monotonic();
    },
    clear: () => tickets.clear(),
  };
}
