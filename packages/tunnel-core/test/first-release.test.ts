import { beforeAll, describe } from "vitest";
import { type Authority, makeAuthority } from "./support/authority.ts";
import { type StoryOptions, tunnelStory } from "./support/tunnel-story.ts";

/** Who has the first release on one end goes on with it when the other end is renewed. */
const MATRIX: StoryOptions[] = (["server", "client"] as const).flatMap((firstRelease) =>
  (["reverse", "forward"] as const).flatMap((flow) =>
    ([0, 1] as const).map((tls) => ({ firstRelease, flow, tls })),
  ),
);

describe.each(MATRIX)("the first release as the $firstRelease, flow $flow, tls $tls", (options) => {
  let authority: Authority;

  beforeAll(async () => {
    authority = await makeAuthority();
    return () => authority.remove();
  });

  tunnelStory(options, () => authority);
});
