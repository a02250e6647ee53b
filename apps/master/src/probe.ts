import { once } from "node:events";
import { request as requestPlain } from "node:http";
import { request as requestSecure } from "node:https";
import type { MasterSettings } from "@nodepass/url-config";

/** Longest wait for the answer, ms; below the time-out of the container's health check. */
const timeoutMs = 4000;

/**
 * Asks a master on this host whether it is alive, which needs no key.
 *
 * @throws if it does not answer with 200
 */
export async function probe({ listen, prefix, tls }: MasterSettings): Promise<void> {
  const isIpv6 = listen.host === "::";
  const host = ["", "0.0.0.0"].includes(listen.host) ? "127.0.0.1" : listen.host;
  const request = (tls === 0 ? requestPlain : requestSecure)({
    host: isIpv6 ? "::1" : host,
    port: listen.port,
    path: `${prefix}/healthz`,
    // To ourselves, and nothing secret is said: the certificate may be self-signed.
    rejectUnauthorized: false,
    agent: false,
    signal: AbortSignal.timeout(timeoutMs),
  });
  request.end();
  const [response] = await once(request, "response");
  response.destroy();
  if (response.statusCode !== 200) throw new Error(`the master answers ${response.statusCode}`);
}
