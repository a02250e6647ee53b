import { createHash, randomBytes, timingSafeEqual } from "node:crypto";
import { type MasterState, STATE_VERSION } from "@nodepass/store";
import { checkText } from "./check-change.ts";
import { OperationQueue } from "./operation-queue.ts";

/** A new API key: 32 hexadecimal digits, 128 random bits. */
export function createApiKey(): string {
  return randomBytes(16).toString("hex");
}

/** The state of a master that starts for the first time. */
export function createMasterState(): MasterState {
  return {
    version: STATE_VERSION,
    masterId: randomBytes(8).toString("hex"),
    alias: "",
    apiKey: createApiKey(),
    instances: [],
  };
}

/** Compares two keys in constant time, whatever their lengths. */
export function isSameKey(one: string, other: string): boolean {
  return timingSafeEqual(sha256(one), sha256(other));
}

function sha256(text: string): Buffer {
  return createHash("sha256").update(text).digest();
}

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

  /** 16 hexadecimal digits. */
  get masterId(): string {
    return this.#state.masterId;
  }

  get alias(): string {
    return this.#state.alias;
  }

  get apiKey(): string {
    return this.#state.apiKey;
  }

  /** Compares in constant time, whatever the candidate's length. */
  verifyKey(candidate: string): boolean {
    return isSameKey(candidate, this.#state.apiKey);
  }

  /** Names the master. @throws {ServiceError} `INVALID`, `UNAVAILABLE` */
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

  /**
   * @returns the new key, once it is on disk; the old one is refused from then on
   * @throws {ServiceError} `UNAVAILABLE`: the old key stays
   */
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
