import { beforeAll, describe } from "vitest";
import { type Authority, makeAuthority } from "./support/authority.ts";
import { type StoryOptions, tunnelStory } from "./support/tunnel-story.ts";

const MATRIX: StoryOptions[] = [
  ...(["reverse", "forward"] as const).flatMap((flow) =>
    ([0, 1, 2] as const).map((tls) => ({ flow, tls, auto: false })),
  ),
  // Both ends with mode=0: each finds out by itself what it can bind.
  { flow: "reverse", tls: 0, auto: true },
  { flow: "forward", tls: 1, auto: true },
  // Each user on a pool connection of his own; all on one lane; more lanes than pool connections.
  { flow: "reverse", tls: 0, auto: false, serverQuery: "lanes=0" },
  { flow: "forward", tls: 1, auto: false, serverQuery: "lanes=0" },
  { flow: "reverse", tls: 1, auto: false, serverQuery: "lanes=1" },
  { flow: "forward", tls: 0, auto: false, serverQuery: "lanes=1" },
  { flow: "reverse", tls: 0, auto: false, serverQuery: "lanes=16" },
  { flow: "forward", tls: 1, auto: false, serverQuery: "lanes=16" },
  { flow: "single", tls: 0, auto: false },
  { flow: "single", tls: 0, auto: true },
];

describe.each(MATRIX)("flow $flow, tls $tls, auto $auto, $serverQuery", (options) => {
  let authority: Authority;

  beforeAll(async () => {
    authority = await makeAuthority();
    return () => authority.remove();
  });

  tunnelStory(options, () => authority);
});
