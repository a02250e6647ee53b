import { createConnection } from "node:net";
import { onTestFinished } from "vitest";

/** A connection on which a test writes what no HTTP client would. */
export interface RawConnection {
  /** All that came so far; of very much, the beginning and the end. */
  readonly text: () => string;
  /** Resolves with all that came when it is over; `clean`: without a reset. */
  readonly over: Promise<{ readonly text: string; readonly clean: boolean }>;
  /** Takes nothing more from the network. */
  pause(): void;
  resume(): void;
  /** Leaves. */
  destroy(): void;
}

const KEPT = 1_048_576;

export function rawRequest(port: number, request: string, host = "127.0.0.1"): RawConnection {
  const socket = createConnection(port, host);
  let text = "";
  let failed = false;
  socket.setEncoding("latin1");
  socket.on("data", (piece: string) => {
    text += piece;
    // The head, and what came last: a test may read for long.
    if (text.length > KEPT) text = text.slice(0, KEPT / 4) + text.slice(-KEPT / 4);
  });
  socket.on("error", () => {
    failed = true;
  });
  const over = new Promise<{ text: string; clean: boolean }>((resolve) => {
    socket.on("close", () => resolve({ text, clean: !failed }));
  });
  socket.write(request);
  onTestFinished(() => {
    socket.destroy();
  });
  return {
    text: () => text,
    over,
    pause: () => socket.pause(),
    resume: () => socket.resume(),
    destroy: () => socket.destroy(),
  };
}
