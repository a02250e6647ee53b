import type { InteropOptions } from "./support/interop-pair.ts";
import { interopSuite } from "./support/interop-suite.ts";

/** All that two ends can agree on with a 1.14 node; `tls=2` in reverse flow is in the cases. */
const MATRIX: InteropOptions[] = ([0, 2, 3] as const).flatMap((type) =>
  (["server", "client"] as const).flatMap((ours) =>
    (["-", "+"] as const).flatMap((flow) =>
      ([0, 1, 2] as const)
        .filter((tls) => !(ours === "client" && flow === "-" && tls === 2))
        // HTTP/2 is never without TLS, and with tls=2 no two 1.14 nodes meet over it.
        .filter((tls) => type !== 3 || tls === 1)
        .map((tls) => ({ type, ours, flow, tls })),
    ),
  ),
);

interopSuite(MATRIX);
