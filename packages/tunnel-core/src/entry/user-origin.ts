import type { Endpoint } from "../wire/endpoint.ts";

/** What is known of a user's connection beside its stream, when its first bytes have been looked at. */
export interface UserOrigin {
  /** The user's address as a trusted proxy tells it; `undefined`: the connection's own. */
  readonly source: Endpoint | undefined;
  /** The name that the user asked for, where it is known. */
  readonly authority: string | undefined;
  /** What has been read of the user's bytes. */
  readonly early: Buffer;
  /** The user has ended his direction. */
  readonly ended: boolean;
}
