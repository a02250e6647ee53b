import { StoreError } from "../../src/store-error.ts";

/** The {@link StoreError} that a call or promise ends with; anything else fails the test. */
export async function storeErrorOf(task: () => unknown): Promise<StoreError> {
  try {
    await task();
  } catch (error) {
    if (error instanceof StoreError) return error;
    throw error;
  }
  throw new Error("it did not fail");
}
