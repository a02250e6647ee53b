import { setFlagsFromString } from "node:v8";

/**
 * Keeps V8's two halves for new objects as small as they are now, for a process that is a hub and nothing
 * else. By themselves they grow to 32 MiB each as soon as much is dropped at once, and stay so: after 100,000
 * bad messages a hub had 203 MiB in place of 142, at the same processor time. (`--max-semi-space-size` is for
 * the command line alone; set from inside it has no effect.)
 *
 * For the whole process: the program decides, no library.
 */
export function keepNewSpaceSmall(): void {
  setFlagsFromString("--semi-space-growth-factor=1");
}
