import { afterEach, vi } from "vitest";

// Files of the unit project share their workers: a clock that one has stopped is not the next one's.
afterEach(() => {
  vi.useRealTimers();
});
