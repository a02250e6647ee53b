import type { ChildProcess } from "node:child_process";
import { type Deferred, deferred } from "./deferred.ts";

/** What one process asks another one to do, over Node's channel between them. */
interface Asked {
  readonly n: number;
  readonly what: string;
  readonly with: unknown;
}
interface Answered {
  readonly n: number;
  readonly result?: unknown;
  readonly error?: string;
}

/** Answers its parent. A handler's failure is told to whoever asked. */
export function answerParent(handlers: Record<string, (given: never) => unknown>): void {
  process.on("message", (asked: Asked) => {
    void (async () => {
      let answer: Answered;
      try {
        const handler = handlers[asked.what];
        if (handler === undefined) throw new Error(`nothing does "${asked.what}"`);
        answer = { n: asked.n, result: await handler(asked.with as never) };
      } catch (error) {
        answer = {
          n: asked.n,
          error: error instanceof Error ? (error.stack ?? "") : String(error),
        };
      }
      process.send?.(answer);
    })();
  });
  // The parent is gone.
  process.on("disconnect", () => process.exit(0));
}

/** Tells its parent what it did not ask for. */
export function tellParent(news: unknown): void {
  process.send?.({ news });
}

/** The parent's end. */
export class Calls {
  readonly child: ChildProcess;
  readonly #waiting = new Map<number, Deferred<unknown>>();
  #n = 0;

  constructor(child: ChildProcess, onNews: (news: never) => void = () => undefined) {
    this.child = child;
    child.on("message", (said: Answered | { readonly news: unknown }) => {
      if ("news" in said) {
        onNews(said.news as never);
        return;
      }
      const waiting = this.#waiting.get(said.n);
      this.#waiting.delete(said.n);
      if (said.error !== undefined) waiting?.reject(new Error(said.error));
      else waiting?.resolve(said.result);
    });
    child.once("exit", (code, signal) => {
      for (const { reject } of this.#waiting.values()) {
        reject(new Error(`the process has ended: ${signal ?? code}`));
      }
      this.#waiting.clear();
    });
  }

  async ask<Result>(what: string, given: unknown = {}): Promise<Result> {
    this.#n += 1;
    const waiting = deferred<unknown>();
    this.#waiting.set(this.#n, waiting);
    const asked: Asked = { n: this.#n, what, with: given };
    this.child.send(asked, (error) => {
      if (error !== null) waiting.reject(error);
    });
    return waiting.promise as Promise<Result>;
  }
}
