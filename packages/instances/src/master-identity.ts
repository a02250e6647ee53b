import { createHash, randomBytes, timingSafeEqual } from "node:crypto";
import { type KeyAccess, ServiceError } from "@nodepass/model";
import { type MasterState, STATE_VERSION } from "@nodepass/store";
import { checkText } from "./check-change.ts";
import { OperationQueue } from "./operation-queue.ts";

/** A new API key: 32 hexadecimal digits, 128 random bits. */
export function createApiKey(): string {
  return randomBytes(16).toString("hex");
}

/** 16 hexadecimal digits. */
function createMasterId(): string {
  return randomBytes(8).toString("hex");
}

/** The state of a master that starts for the first time. */
export function createMasterState(): MasterState {
  return {
    version: STATE_VERSION,
    masterId: createMasterId(),
    alias: "",
    apiKey: createApiKey(),
    instances: [],
  };
}

/** Compares two keys in constant time, whatever their lengths. */
function isSameKey(one: string, other: string): boolean {
  return timingSafeEqual(sha256(one), sha256(other));
}

function sha256(text: string): Buffer {
  return createHash("sha256").update(text).digest();
}

/** Keys from outside, such as the environment or a mounted secret. */
export interface GivenKeys {
  readonly apiKey?: string | undefined;
  readonly readKey?: string | undefined;
}

/** The name and the keys of a master, as its state has them. */
export class MasterIdentity {
  readonly #state: MasterState;
  readonly #save: () => Promise<void>;
  readonly #operations: OperationQueue;
  #given: GivenKeys = {};

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
    return this.#given.apiKey ?? this.#state.apiKey;
  }

  /** The key that may only read, if there is one. */
  get readKey(): string | undefined {
    return this.#given.readKey ?? this.#state.readKey;
  }

  /** Keys that hold in place of those of the state, from now on. */
  useKeys(given: GivenKeys): void {
    this.#given = given;
  }

  /**
   * Compares in constant time, whatever the candidate's length.
   * @returns what the key may do
   */
  verifyKey(candidate: string): KeyAccess | undefined {
    const { apiKey, readKey } = this;
    const isFull = isSameKey(candidate, apiKey);
    const isRead = isSameKey(candidate, readKey ?? apiKey);
    if (isFull) return "full";
    return isRead ? "read" : undefined;
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
   * Makes it another master than the one whose state was copied, to others.
   *
   * @throws {ServiceError} `UNAVAILABLE`: the old id stays
   */
  renewMasterId(): Promise<void> {
    return this.#operations.run(async () => {
      const before = this.#state.masterId;
      this.#state.masterId = createMasterId();
      await this.#saveOr(() => {
        this.#state.masterId = before;
      });
    });
  }

  /**
   * @returns the new key, once it is on disk; the old one is refused from then on
   * @throws {ServiceError} `UNAVAILABLE`: the old key stays; `FORBIDDEN` for a given one
   */
  renewKey(access: KeyAccess = "full"): Promise<string> {
    const name = access === "full" ? "apiKey" : "readKey";
    return this.#operations.run(async () => {
      if (this.#given[name] !== undefined) {
        const message = "the key was given to the master from outside: it is changed there";
        throw new ServiceError("FORBIDDEN", message);
      }
      const before = this.#state[name];
      const key = createApiKey();
      this.#state[name] = key;
      await this.#saveOr(() => {
        if (name === "apiKey") this.#state.apiKey = before ?? key;
        else this.#state.readKey = before;
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
