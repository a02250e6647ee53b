// Reads of accepted sockets without an allocation per read.
//
// `net.connect` takes `onread`: the system reads into a buffer of ours. `net.createServer` takes no
// such option, in no Node version so far, and there is no public way to give an accepted socket
// one. This file, and no other, sets what the `onread` option sets: three symbol properties of the
// socket and the buffer of its handle. It is worth 1.35 to 1.55 times the throughput (see
// docs/performance.md). All names are looked up once; where one is missing, `canReadFast()` is
// false and callers fall back to `data` events, which is correct and slower. A test asserts that
// the supported Node versions have the fast path.
import { Socket } from "node:net";

/** Called with the socket as `this`; false stops reading until `resume()`. */
export type FastReadCallback = (this: Socket, bytesRead: number, buffer: Uint8Array) => boolean;

interface PrivateNames {
  readonly buffer: symbol;
  readonly callback: symbol;
  readonly generator: symbol;
}

function findNames(): PrivateNames | undefined {
  const socket = new Socket();
  const symbols = Object.getOwnPropertySymbols(socket);
  const named = (description: string) => symbols.find((s) => s.description === description);
  const buffer = named("kBuffer");
  const callback = named("kBufferCb");
  const generator = named("kBufferGen");
  socket.destroy();
  if (buffer === undefined || callback === undefined || generator === undefined) return undefined;
  return { buffer, callback, generator };
}

let names: PrivateNames | undefined;
let looked = false;

/** Whether this Node has all private names that the fast path of accepted sockets needs. */
export function canReadFast(): boolean {
  if (!looked) {
    names = findNames();
    looked = true;
  }
  return names !== undefined;
}

/**
 * Switches a connected socket (plain or TLS) to read into the buffers that `nextBuffer` gives.
 *
 * @returns false, with nothing changed, where the fast path is not available for this socket
 */
export function readFast(
  socket: Socket,
  nextBuffer: () => Uint8Array,
  callback: FastReadCallback,
): boolean {
  if (!canReadFast() || names === undefined) return false;
  const handle: unknown = Reflect.get(socket, "_handle");
  if (typeof handle !== "object" || handle === null) return false;
  const useUserBuffer: unknown = Reflect.get(handle, "useUserBuffer");
  if (typeof useUserBuffer !== "function") return false;
  const buffer = nextBuffer();
  Reflect.set(socket, names.buffer, buffer);
  Reflect.set(socket, names.callback, callback);
  Reflect.set(socket, names.generator, nextBuffer);
  useUserBuffer.call(handle, buffer);
  return true;
}
