import type { openTunnel as open } from "@nodepass/tunnel-core";

/** Opens a tunnel end of the first release. */
export const openTunnel: typeof open;
