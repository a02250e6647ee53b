/** What to do after bytes of a proxy. */
export type ProxyStep =
  /** Wait for more. */
  | { readonly kind: "more" }
  | { readonly kind: "send"; readonly bytes: Buffer }
  /** The connection is the caller's. @param rest what the other side has sent already */
  | { readonly kind: "done"; readonly rest: Buffer | undefined };

export const MORE: ProxyStep = { kind: "more" };

/** Asks a proxy for a connection: what to send first, then what to do after each answer. */
export interface ProxyExchange {
  readonly opening: Buffer;
  /**
   * @param bytes what has come since the last call
   * @throws {TunnelError} `PROXY_FAILED` if the proxy refuses or speaks another protocol
   */
  push(bytes: Buffer): ProxyStep;
}
