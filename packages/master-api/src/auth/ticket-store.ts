import { createHash, randomBytes } from "node:crypto";
import type { KeyAccess } from "@nodepass/model";
import type { Clock } from "../clock.ts";

/** One ticket, valid once. */
export interface Ticket {
  readonly ticket: string;
  /** Milliseconds since 1970. */
  readonly expiresAt: number;
}

/** Short-lived stand-ins for a key, for browsers whose EventSource sends no headers. */
export interface TicketStore<Access = KeyAccess> {
  /** @param access what the key may do that it stands in for */
  issue(access: Access): Ticket;
  /** @returns what it opens, `undefined` if it was not good; it is used up in any case */
  consume(ticket: string): Access | undefined;
  /** Makes all of them worthless. */
  clear(): void;
}

/** Looked up by digest: how long a look-up takes tells nothing about the tickets that exist. */
function digest(ticket: string): string {
  return createHash("sha256").update(ticket).digest("base64");
}

/** Tickets in memory, each good once and for a while; no more than a bound at once. */
export function createTicketStore<Access = KeyAccess>(
  clock: Clock,
  limits: { readonly ticketLifeMs: number; readonly maxTickets: number },
): TicketStore<Access> {
  /** By digest, the oldest first; `endsAt` is monotonic. */
  const tickets = new Map<string, { readonly endsAt: number; readonly access: Access }>();

  const forgetOld = (now: number): void => {
    for (const [key, { endsAt }] of tickets) {
      if (endsAt > now && tickets.size <= limits.maxTickets) return;
      tickets.delete(key);
    }
  };

  return {
    issue(access) {
      const ticket = randomBytes(32).toString("base64url");
      tickets.set(digest(ticket), { endsAt: clock.monotonic() + limits.ticketLifeMs, access });
      forgetOld(clock.monotonic());
      return { ticket, expiresAt: clock.now() + limits.ticketLifeMs };
    },
    consume(ticket) {
      const key = digest(ticket);
      const found = tickets.get(key);
      tickets.delete(key);
      return found !== undefined && found.endsAt > clock.monotonic() ? found.access : undefined;
    },
    clear: () => tickets.clear(),
  };
}
