import { beforeAll, describe } from "vitest";
import { type Authority, makeAuthority } from "./support/authority.ts";
import { type StoryOptions, tunnelStory } from "./support/tunnel-story.ts";

/** The story of matrix.test.ts over the other pools. */
const MATRIX: StoryOptions[] = [
  { flow: "reverse", tls: 0, serverQuery: "type=2" },
  { flow: "forward", tls: 1, serverQuery: "type=2", query: "path=/some/where" },
  { flow: "reverse", tls: 2, serverQuery: "type=2" },
  { flow: "reverse", tls: 1, serverQuery: "type=3" },
  { flow: "forward", tls: 2, serverQuery: "type=3", query: "path=/some/where" },
];

describe.each(MATRIX)("$serverQuery, flow $flow, tls $tls", (options) => {
  let authority: Authority;

  beforeAll(async () => {
    authority = await makeAuthority();
    return () => authority.remove();
  });

  tunnelStory(options, () => authority);
});
