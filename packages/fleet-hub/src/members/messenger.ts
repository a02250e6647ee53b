import type {
  ApiAnswer,
  ApiRequest,
  Applied,
  Apply,
  Chunk,
  Credit,
  Done,
  Evict,
  Lease,
  LeaseRequest,
  MemberEvent,
  Prepare,
  Prepared,
  Resync,
  Watch,
} from "@nodepass/fleet-protocol";

/** Streamed answers of all members at once, at most. Section 9, limits. */
export const MAX_HUB_STREAMS = 256;

/** What members are asked and told, sealed; each call knows nothing of what it carries. */
export interface Messenger {
  /** @throws {ServiceError} `UNAVAILABLE`: not connected, no answer in time, or an answer that can't be read */
  apply(mid: string, message: Apply, timeoutMs?: number): Promise<Applied>;
  /** @throws {ServiceError} `UNAVAILABLE` */
  prepare(mid: string, message: Prepare, timeoutMs?: number): Promise<Prepared>;
  /**
   * @param onChunk told the pieces of a streamed answer in order, till `end` or an `error`; it must be
   *   set up before the request goes out, and `closeStream` ends it early
   * @throws {ServiceError} `UNAVAILABLE`; `LIMIT_REACHED` when too many requests to it are in flight
   */
  api(
    mid: string,
    message: ApiRequest,
    onChunk: (chunk: Chunk) => void,
    signal?: AbortSignal,
  ): Promise<ApiAnswer>;
  /** Nobody reads the stream any more, or it has ended: forget it here. */
  closeStream(mid: string, stream: string): void;
  credit(mid: string, message: Credit): void;
  watch(mid: string, message: Watch): void;
  evict(mid: string, message: Evict): void;
  resync(mid: string, message: Resync): void;

  /** At most one of each; told what members say by themselves. @returns ends it */
  onDone(listener: (mid: string, message: Done) => void): () => void;
  onEvent(listener: (mid: string, message: MemberEvent) => void): () => void;
  /** Answers leases; `undefined`: no answer at all (this hub does not lead). */
  onLease(answer: (mid: string, message: LeaseRequest) => Lease | undefined): () => void;
}
