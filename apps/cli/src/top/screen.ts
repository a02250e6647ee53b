import type { CliContext } from "../context.ts";

/** A terminal that belongs to the command while it is open. */
export interface Screen {
  readonly width: number;
  readonly height: number;
  /** Shows lines; what has not changed is not sent again. */
  draw(lines: readonly string[]): void;
  /** Forgets what is shown: the next lines are all sent. */
  invalidate(): void;
  /** Gives the terminal back as it was. Idempotent. */
  close(): void;
}

/** What happens at the terminal. */
export interface ScreenListeners {
  /** Keys as the terminal sends them, such as `q` or `ESC [ A`. */
  readonly onKey: (key: string) => void;
  readonly onResize: () => void;
}

// Alternate screen, no cursor, no wrapping of lines that are too long; and back.
const enter = "\x1b[?1049h\x1b[?25l\x1b[?7l\x1b[2J";
const leave = "\x1b[?7h\x1b[?25h\x1b[?1049l";

/** Escape sequences as one key each, else single characters. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: keys are what it looks for
const keyPattern = /\x1b\[[0-9;]*[A-Za-z~]|\x1bO[A-Z]|[\s\S]/g;

/** Takes over the terminal. */
export function openScreen(context: CliContext, listeners: ScreenListeners): Screen {
  const { stdout, stdin } = context;
  let shown: readonly string[] = [];
  let isOpen = true;

  const onResize = () => {
    shown = [];
    stdout.write("\x1b[2J");
    listeners.onResize();
  };
  const onData = (text: string) => {
    for (const [key] of text.matchAll(keyPattern)) if (isOpen) listeners.onKey(key);
  };
  const close = () => {
    if (!isOpen) return;
    isOpen = false;
    forgetExit();
    stdout.off?.("resize", onResize);
    if (stdin.isTTY === true) {
      stdin.off("data", onData);
      stdin.setRawMode?.(false);
      stdin.pause();
    }
    stdout.write(leave);
  };

  const forgetExit = context.atExit(close);
  stdout.write(enter);
  stdout.on?.("resize", onResize);
  if (stdin.isTTY === true) {
    stdin.setRawMode?.(true);
    stdin.setEncoding("utf8");
    stdin.on("data", onData);
    stdin.resume();
  }
  return {
    get width() {
      return stdout.columns ?? 80;
    },
    get height() {
      return stdout.rows ?? 24;
    },
    draw: (lines) => {
      if (!isOpen) return;
      const changed = Array.from({ length: Math.max(lines.length, shown.length) }, (_, row) => {
        const line = lines[row] ?? "";
        return line === shown[row] ? "" : `\x1b[${row + 1};1H${line}\x1b[0m\x1b[K`;
      }).join("");
      shown = lines;
      if (changed !== "") stdout.write(changed);
    },
    invalidate: () => {
      shown = [];
    },
    close,
  };
}
