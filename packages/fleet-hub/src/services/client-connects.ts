import type { ServiceParts } from "./service-operations.ts";

/**
 * Resolves when no client of a pair is in error, or after the time: it may have dialled a moment before its
 * server listened, and tries again by itself. Never rejects.
 *
 * @param revision of the record that its masters are to have answered first
 */
export async function clientConnects(
  { index, presence, orders, clock }: Pick<ServiceParts, "index" | "presence" | "orders" | "clock">,
  sid: string,
  revision: number,
  timeoutMs: number,
): Promise<void> {
  const parts = index.services.get(sid)?.value.parts ?? [];
  if (parts.length < 2) return;
  const deadline = clock.monotonic() + timeoutMs;
  await orders.settled(sid, revision, timeoutMs);
  const isOver = () =>
    (index.services.get(sid)?.value.parts ?? []).every(({ role, owner, running }, at) => {
      if (role !== "client" || owner === null || !running) return true;
      const said = presence.reportOf(owner, sid, at);
      return said === undefined || said.outcome !== "failed" || !said.running;
    });
  const left = deadline - clock.monotonic();
  if (isOver() || left <= 0) return;
  await new Promise<void>((resolve) => {
    const end = () => {
      stop();
      unlisten();
      resolve();
    };
    const stop = clock.after(left, end);
    const unlisten = presence.onReport((_, report) => {
      if (report.sid === sid && isOver()) end();
    });
  });
}
