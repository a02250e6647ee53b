import type { Socket } from "node:net";

const [MAJOR = 0, MINOR = 0] = process.versions.uv.split(".").map(Number);

/**
 * Whether Node may take a reset that arrives right behind data for an end: libuv did before 1.52
 * (libuv pull request 4997), so Node 22 and 24 do.
 */
export const RESETS_MAY_HIDE = MAJOR === 1 && MINOR < 52;

const NOTHING = Buffer.alloc(0);

/**
 * Whether the end that a socket tells of is a reset. A write of no bytes sends nothing where the
 * connection stands, and fails where it is gone.
 *
 * @returns undefined if writes are pending: if it is one, they fail before the loop's next turn
 */
export function isHiddenReset(socket: Socket): boolean | undefined {
  if (socket.destroyed || socket.errored !== null) return true;
  // After a FIN of our own nothing can be asked; the other direction is all that was left.
  if (socket.writableEnded) return false;
  const pending = socket.writableLength > 0;
  socket.write(NOTHING);
  if (socket.errored !== null) return true;
  return pending ? undefined : false;
}
