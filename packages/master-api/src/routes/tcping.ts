import { createRoute, type OpenAPIHono, z } from "@hono/zod-openapi";
import { ServiceError, TARGET_PATTERN, type TcpingResult, wireInteger } from "@nodepass/model";
import { TcpingSchema } from "@nodepass/model/schemas";
import { parseTarget, type Target } from "../http/parse-target.ts";
import { createTurnstile } from "../http/turnstile.ts";
import { badRequest, unauthorizedOrReading } from "../schemas/error.ts";
import { jsonAnswer } from "../schemas/json.ts";
import { KEY_SECURITY, type RouteParts } from "./parts.ts";

const MAX_AT_ONCE = 10;
const TIMEOUT_MS = 5000;
/** How long a request waits for its turn; then it is told so, as NodePass does. */
const TURN_MS = 1000;

const TcpingQuerySchema = z.object({
  target: z
    .string({ error: (issue) => (issue.input === undefined ? "missing" : "given twice") })
    .max(300, "longer than 300 characters")
    .openapi({
      param: { name: "target", in: "query" },
      description: "`host:port`, an IPv6 address in brackets",
      example: "example.com:443",
      pattern: TARGET_PATTERN,
    }),
});

const failed = (error: string): TcpingResult => ({ connected: false, latencyMs: 0, error });

/** `/tcping`. */
export function registerTcpingRoute(app: OpenAPIHono, parts: RouteParts): void {
  const { master, clock } = parts;
  const turnstile = createTurnstile(clock, {
    places: MAX_AT_ONCE,
    waitMs: TURN_MS,
    maxWaiting: 100,
  });

  /** Ends at the time-out even if the service does not heed the signal. */
  const ping = async ({ host, port }: Target): Promise<TcpingResult> => {
    const abort = new AbortController();
    let cancel = (): void => undefined;
    const timeout = new Promise<TcpingResult>((resolve) => {
      cancel = clock.after(TIMEOUT_MS, () => {
        resolve(failed(`no connection within ${TIMEOUT_MS} ms`));
        abort.abort();
      });
    });
    try {
      return await Promise.race([master.tcping(host, port, abort.signal), timeout]);
    } finally {
      cancel();
    }
  };

  const pingInTurn = async (target: Target): Promise<TcpingResult> => {
    const leave = await turnstile.enter();
    if (leave === undefined) return failed(`more than ${MAX_AT_ONCE} pings at once`);
    try {
      return await ping(target);
    } finally {
      leave();
    }
  };

  app.openapi(
    createRoute({
      method: "get",
      path: "/tcping",
      operationId: "tcping",
      summary: "Try a TCP connection from the master",
      description:
        `At most ${MAX_AT_ONCE} run at once; a request that finds no place within ${TURN_MS} ms ` +
        `is answered as a failure. A connection has ${TIMEOUT_MS} ms.`,
      tags: ["master"],
      security: KEY_SECURITY,
      middleware: [parts.requireKey.key] as const,
      request: { query: TcpingQuerySchema },
      responses: {
        200: jsonAnswer("What came of it; a failure is an answer too", TcpingSchema),
        ...badRequest("target: missing"),
        ...unauthorizedOrReading,
      },
    }),
    async (c) => {
      const { target } = c.req.valid("query");
      const address = parseTarget(target);
      if (address === undefined) {
        throw new ServiceError("INVALID", `target ${JSON.stringify(target)} is not host:port`);
      }
      const { connected, latencyMs, error } = await pingInTurn(address);
      const latency = Math.max(0, wireInteger(latencyMs));
      return c.json({ target, connected, latency, error }, 200);
    },
  );
}
