import type { MasterState } from "@nodepass/store";
import { checkText } from "./check-change.ts";
import { createApiKey, isSameKey } from "./master-key.ts";
import { OperationQueue } from "./operation-queue.ts";

/** The name and the key of a master, as its state has them. */
export class MasterIdentity {
  readonly #state: MasterState;
  readonly #save: () => Promise<void>;
  readonly #operations: OperationQueue;

  /**
   * @param save saves the state, or rejects
   * @param maxPending changes that wait at most
   */
  constructor(state: MasterState, save: () => Promise<void>, maxPending: number) {
    this.#state = state;
    this.#save = save;
    this.#operations = new OperationQueue(maxPending);
  }

  get alias(): string {
    return this.#state.alias;
  }

  get apiKey(): string {
    return this.#state.apiKey;
  }

  /** Compares in constant time. */
  verifyKey(candidate: string): boolean {
    return isSameKey(candidate, this.#state.apiKey);
  }

  setAlias(alias: string): Promise<void> {
    return this.#operations.run(async () => {
      checkText("alias", alias);
      const before = this.#state.alias;
      this.#state.alias = alias;
      await this.#saveOr(() => {
        this.#state.alias = before;
      });
    });
  }

  /** @returns the new key, once it is on disk */
  renewKey(): Promise<string> {
    return this.#operations.run(async () => {
      const before = this.#state.apiKey;
      const key = createApiKey();
      this.#state.apiKey = key;
      await this.#saveOr(() => {
        this.#state.apiKey = before;
      });
      return key;
    });
  }

  async #saveOr(undo: () => void): Promise<void> {
    try {
      await this.#save();
    } catch (error) {
      undo();
      throw error;
    }
  }
}
