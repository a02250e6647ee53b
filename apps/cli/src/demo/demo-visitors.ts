import { fetchOnce } from "./fetch-once.ts";

/** Between two visits, ms. */
const PAUSE_MS = 1000;
/** Traffic comes and goes in this time, ms: a chart of some minutes shows it. */
const WAVE_MS = 90_000;
const LEAST_BYTES = 20_000;
const MOST_BYTES = 240_000;

/** Path of a sample of so many bytes on the demonstration's site. */
export const SAMPLE_PATH = "/sample/";

/** Largest sample that the site hands out. */
export const MOST_SAMPLE_BYTES = MOST_BYTES;

/** How much a visit at this time gets. */
export function sampleBytes(atMs: number): number {
  const share = (1 - Math.cos((2 * Math.PI * atMs) / WAVE_MS)) / 2;
  return Math.round(LEAST_BYTES + share * (MOST_BYTES - LEAST_BYTES));
}

/**
 * Visits the demonstration through its tunnel, one visit after the other, so that there is something
 * to see: some hundred kB/s at most. A visit that fails is no matter.
 *
 * @param url of its page, with a slash at its end
 * @returns ends it
 */
export function startVisitors(url: string): () => void {
  let isEnded = false;
  let timer: NodeJS.Timeout | undefined;
  const begun = performance.now();
  const visit = async (): Promise<void> => {
    const bytes = sampleBytes(performance.now() - begun);
    await fetchOnce(`${url.replace(/\/$/, "")}${SAMPLE_PATH}${bytes}`).catch(() => undefined);
    if (!isEnded) timer = setTimeout(() => void visit(), PAUSE_MS).unref();
  };
  void visit();
  return () => {
    isEnded = true;
    clearTimeout(timer);
  };
}
