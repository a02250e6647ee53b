import { randomBytes } from "node:crypto";
import { ServiceError } from "@nodepass/model";
import type { PartRole } from "@nodepass/model/fleet";
import {
  formatHostPort,
  joinUrl,
  parseTunnelUrlLenient,
  splitUrl,
  UrlConfigError,
} from "@nodepass/url-config";

/** Stands for a port or an address that is filled in when the part is placed. */
const AUTO = "auto";
/** What `redact` writes for a key: a caller who may not see it sends it back like that. */
const MASKED = "***";

/** A new tunnel key: 128 random bits. */
export function createTunnelKey(): string {
  return randomBytes(16).toString("hex");
}

/** @throws {ServiceError} `INVALID_URL` for what is no tunnel's URL */
export function roleOf(url: string): PartRole {
  const { scheme } = splitUrl(url);
  if (scheme === "server" || scheme === "client") return scheme;
  throw new ServiceError(
    "INVALID_URL",
    `scheme of a part's URL is ${scheme === undefined ? "missing" : JSON.stringify(scheme)} (allowed: server://, client://)`,
  );
}

/** The key as it is written, ports may still be `auto`; `undefined`: none, or masked. */
export function hasOwnKey(url: string): boolean {
  const { userInfo } = splitUrl(url);
  return userInfo !== undefined && userInfo !== "" && userInfo !== MASKED;
}

/**
 * The tunnel key of a URL whose ports are filled in; `undefined` if none is given.
 *
 * @throws {ServiceError} `INVALID_URL`
 */
export function keyOf(url: string): string | undefined {
  const { key, keyGiven } = read(url);
  return keyGiven ? key : undefined;
}

/** The URL with another key, or without one; all else stays as it is written. */
export function withKey(url: string, key: string | undefined): string {
  const userInfo = key === undefined ? undefined : encodeURIComponent(key);
  return joinUrl({ ...splitUrl(url), userInfo });
}

/** Whether a client leaves it to the hub where its server is: `client://auto/…`. */
export function hasAutoTunnel(url: string): boolean {
  return splitUrl(url).authority === AUTO;
}

/** The URL with another tunnel address; all else stays as it is written. */
export function withTunnel(url: string, host: string, port: number): string {
  return joinUrl({ ...splitUrl(url), authority: formatHostPort({ host, port }) });
}

/** Whether a client dials just this address, so that it follows the server when that moves. */
export function dials(url: string, host: string, port: number): boolean {
  return host !== "" && splitUrl(url).authority === formatHostPort({ host, port });
}

/** The port at which a server waits for its clients. @throws {ServiceError} `INVALID_URL` */
export function tunnelPortOf(url: string): number {
  return read(url).tunnel.port;
}

function read(url: string) {
  try {
    return parseTunnelUrlLenient(url).settings;
  } catch (error) {
    if (!(error instanceof UrlConfigError)) throw error;
    throw new ServiceError("INVALID_URL", error.message, { cause: error });
  }
}
