import { z } from "zod";

const count = () => z.int().min(0);

/**
 * Member → hubs every 5 s, not sealed: only presence is shown by it. Short names, since it is sent
 * most often.
 */
export const HeartbeatSchema = z.object({
  /** Boot nonce of the process, 8 bytes in hexadecimal. */
  s: z.string(),
  /** Highest revision applied. */
  r: count(),
  /** Instances: running, stopped, error. */
  n: z.tuple([count(), count(), count()]),
  /** Parts that do not run as their records say. */
  d: count(),
  /** CPU of its machine, %; -1 if not known. */
  c: z.number(),
  /** Resident set of its process, bytes. */
  m: count(),
  /** tcprx, tcptx, udprx, udptx over all instances. */
  t: z.tuple([z.number(), z.number(), z.number(), z.number()]),
});
export type Heartbeat = z.infer<typeof HeartbeatSchema>;

/** Time between two heartbeats, ms. */
export const HEARTBEAT_INTERVAL_MS = 5000;
