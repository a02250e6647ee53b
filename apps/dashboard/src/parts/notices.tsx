import { signal } from "@preact/signals";
import { texts } from "../i18n/index.ts";
import { Icon } from "./icon.tsx";

interface Notice {
  readonly number: number;
  readonly text: string;
  readonly kind: "done" | "failed";
}

/** What was done goes by itself; what failed stays longer, ms. */
const LIFE_MS = { done: 4000, failed: 12_000 } as const;
const MOST = 4;
let count = 0;
const notices = signal<readonly Notice[]>([]);

/** Says something at the edge of the page. */
export function notify(text: string, kind: Notice["kind"] = "done"): void {
  count += 1;
  const number = count;
  notices.value = [...notices.peek().slice(1 - MOST), { number, text, kind }];
  setTimeout(() => dismiss(number), LIFE_MS[kind]);
}

/** Says why something failed. */
export function notifyFailure(error: unknown): void {
  notify(error instanceof Error ? error.message : String(error), "failed");
}

function dismiss(number: number): void {
  notices.value = notices.peek().filter((each) => each.number !== number);
}

/** Where they appear; read out as they come. */
export function Notices() {
  return (
    <div class="notices" role="status" aria-live="polite">
      {notices.value.map(({ number, text, kind }) => (
        <div key={number} class={`notice ${kind}`}>
          <Icon name={kind === "done" ? "check" : "warning"} />
          <span>{text}</span>
          <button
            type="button"
            class="ghost"
            aria-label={texts().close}
            onClick={() => dismiss(number)}
          >
            <Icon name="close" size={14} />
          </button>
        </div>
      ))}
    </div>
  );
}
