// Patterns for the API's document, so that what its schemas allow is accepted. They are narrower
// than what a master takes (an unescaped password may have any character): a hint, not a check.

const PORT =
  "(?:6553[0-5]|655[0-2][0-9]|65[0-4][0-9]{2}|6[0-4][0-9]{3}|[1-5][0-9]{4}|[1-9][0-9]{0,3})";
const LABEL = "[a-z0-9](?:[a-z0-9-]{0,30}[a-z0-9])?";
/** A last label without a digit in front: four numbers with a wrong one would be no name. */
const NAME = `(?:${LABEL}\\.){0,3}[a-z](?:[a-z0-9-]{0,30}[a-z0-9])?`;
const BYTE = "(?:25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])";
/** No address of a wildcard: as a target it would lead back to the tunnel. */
const FIRST_BYTE = "(?:25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9][0-9]?)";
const IPV4 = `${FIRST_BYTE}(?:\\.${BYTE}){3}`;
const GROUP = "[0-9a-f]{1,4}";
const FIRST_GROUP = "[1-9a-f][0-9a-f]{0,3}";
const IPV6 = `\\[(?:${FIRST_GROUP}(?::${GROUP}){7}|${FIRST_GROUP}(?::${GROUP}){0,5}::${GROUP}|::${FIRST_GROUP})\\]`;
const HOST = `(?:${NAME}|${IPV4}|${IPV6})`;
const ADDRESS = `${HOST}:${PORT}`;
/** Where a tunnel is: all interfaces too. */
const TUNNEL = `(${HOST}|0\\.0\\.0\\.0):(${PORT})`;
/** Not the tunnel's own address again, nor this machine's with its port: that would be a loop. */
const NO_LOOP = "(?!(?:.*,)?(?:\\1|127\\.[0-9.]+|\\[::1\\]|localhost):\\2(?:[,?]|$))";
const QUERY = "(?:[a-z]+=[A-Za-z0-9.:_-]*(?:&[a-z]+=[A-Za-z0-9.:_-]*){0,3})?";

/** URLs that an instance can be made of. */
export const INSTANCE_URL_PATTERN = `^(?:server|client)://(?:[A-Za-z0-9_.~-]{1,64}@)?${TUNNEL}/${NO_LOOP}${ADDRESS}(?:,${ADDRESS}){0,2}(?:\\?${QUERY})?$`;

/** Targets of a TCP ping. */
export const TARGET_PATTERN = `^${ADDRESS}$`;
