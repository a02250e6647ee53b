import { MasterClientError } from "@nodepass/master-client";
import { type ReadonlySignal, signal } from "@preact/signals";

/** `denied`: the key is not, or not any more, one that is taken. */
export type FollowState = "connecting" | "live" | "away" | "denied";

/** A master or a hub that is followed through its absences, until it is closed. */
export interface Followed {
  /** URL of its API. */
  readonly url: string;
  readonly state: ReadonlySignal<FollowState>;
  /** Why it is away or refuses. */
  readonly reason: ReadonlySignal<string>;
  /** Goes on with another key. */
  useKey(key: string): void;
  /** Tries again now. */
  retry(): void;
  close(): void;
}

/** One attempt to follow, which may last. */
export interface Attempt {
  readonly signal: AbortSignal;
  /** A stream is open. */
  readonly onOpen: () => void;
  /** It broke, and will be opened again. */
  readonly onLost: (why: string) => void;
}

/** What keeps on. */
export interface Following extends Pick<Followed, "state" | "reason" | "retry" | "close"> {
  /** Begins again if the key was refused: there is another one. */
  readonly keyChanged: () => void;
}

/** First and longest wait before who is away is asked again, ms. */
const FIRST_WAIT_MS = 500;
const LONGEST_WAIT_MS = 10_000;

/**
 * Follows, again and again, until it is closed or the key is refused.
 *
 * @param follow lasts as long as it goes well; rejects if it does not
 */
export function keepFollowing(follow: (attempt: Attempt) => Promise<void>): Following {
  const state = signal<FollowState>("connecting");
  const reason = signal("");
  let running = new AbortController();
  let wake: () => void = () => undefined;

  const keepOn = async ({ signal: ended }: AbortController): Promise<void> => {
    let waitMs = FIRST_WAIT_MS;
    while (!ended.aborted) {
      try {
        await follow({
          signal: ended,
          onOpen: () => {
            waitMs = FIRST_WAIT_MS;
            state.value = "live";
            reason.value = "";
          },
          onLost: (why) => {
            if (ended.aborted) return;
            state.value = "away";
            reason.value = why;
          },
        });
      } catch (error) {
        if (ended.aborted) return;
        reason.value = error instanceof Error ? error.message : String(error);
        if (error instanceof MasterClientError && error.code === "UNAUTHORIZED") {
          state.value = "denied";
          return;
        }
        state.value = "away";
      }
      if (ended.aborted) return;
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, waitMs);
        wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
      waitMs = Math.min(waitMs * 2, LONGEST_WAIT_MS);
    }
  };

  const start = (): void => {
    running.abort();
    wake();
    running = new AbortController();
    void keepOn(running);
  };
  start();

  return {
    state,
    reason,
    retry: () => wake(),
    keyChanged() {
      if (state.value !== "denied") return;
      state.value = "connecting";
      start();
    },
    close() {
      running.abort();
      wake();
    },
  };
}
