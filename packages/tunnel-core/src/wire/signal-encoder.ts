import { TunnelError } from "../errors.ts";
import { isFingerprint } from "./certificate-fingerprint.ts";
import { parseRemote } from "./endpoint.ts";
import { isCount, isPoolId, type Signal, signalKeyBytes } from "./signal.ts";

/** Longer than any valid signal: a `verify` has 145 bytes, a `tcp` with a long zone still less. */
const SCRATCH_BYTES = 512;

/** Longest `remote` that is sent; an IPv6 address with a zone and a port needs 68. */
const MAX_REMOTE_CHARS = 128;

/**
 * Makes the encoder of one control connection.
 *
 * A line is base64 (standard alphabet, padded) of the JSON text XORed with the key's bytes
 * repeated, then LF. The JSON's bytes are those a NodePass 1.14 node writes: no white space, the
 * fields in the order action, remote, id, fp.
 *
 * @param key of the signals: the tunnel key towards a 1.14 node, else `signalKey()`
 * @returns a function from a signal to its line, LF included; it throws `SIGNAL_INVALID` for an
 *   id, a remote or a fingerprint of the wrong shape
 * @throws {TunnelError} `INVALID_OPTIONS` if the key is empty
 * @see docs/protocol.md, "Control connection"
 */
export function createSignalEncoder(key: string): (signal: Signal) => string {
  const mask = signalKeyBytes(key);
  if (mask.length === 0) throw new TunnelError("INVALID_OPTIONS", "the signal key is empty");
  const scratch = Buffer.allocUnsafe(SCRATCH_BYTES);

  const encode = (json: string): string => {
    const length = scratch.write(json, 0, "latin1");
    for (let at = 0, k = 0; at < length; at++) {
      scratch[at] = (scratch[at] ?? 0) ^ (mask[k] ?? 0);
      if (++k === mask.length) k = 0;
    }
    return `${scratch.toString("base64", 0, length)}\n`;
  };
  const ping = encode('{"action":"ping"}');
  const pong = encode('{"action":"pong"}');
  const flush = encode('{"action":"flush"}');

  return (signal) => {
    switch (signal.action) {
      case "ping":
        return ping;
      case "pong":
        return pong;
      case "flush":
        return flush;
      case "tcp":
      case "udp":
        checkId(signal.id);
        if (signal.remote.length > MAX_REMOTE_CHARS || parseRemote(signal.remote) === undefined) {
          throw new TunnelError(
            "SIGNAL_INVALID",
            `remote of signal ${signal.action} is no ip:port`,
          );
        }
        return encode(
          `{"action":"${signal.action}","remote":"${signal.remote}","id":"${signal.id}"}`,
        );
      case "verify":
        checkId(signal.id);
        if (signal.fp !== "" && !isFingerprint(signal.fp)) {
          throw new TunnelError("SIGNAL_INVALID", "fp of signal verify is no sha256 fingerprint");
        }
        return encode(`{"action":"verify","id":"${signal.id}","fp":"${signal.fp}"}`);
      case "need":
      case "keep":
      case "max":
        if (!isCount(signal.count)) throw badCount(signal.action);
        return encode(`{"action":"${signal.action}","count":${signal.count}}`);
    }
  };
}

function badCount(action: string): TunnelError {
  return new TunnelError("SIGNAL_INVALID", `count of signal ${action} is no u32`);
}

function checkId(id: string): void {
  if (isPoolId(id)) return;
  throw new TunnelError("SIGNAL_INVALID", "id of a signal is not 8 lower-case hex digits");
}
