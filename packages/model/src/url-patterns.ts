// Patterns for the API's document, so that what its schemas allow is accepted. They are narrower
// than what a master takes (an unescaped password may have any character): a hint, not a check.

const PORT =
  "(?:6553[0-5]|655[0-2][0-9]|65[0-4][0-9]{2}|6[0-4][0-9]{3}|[1-5][0-9]{4}|[1-9][0-9]{0,3})";
const LABEL = "[a-z0-9](?:[a-z0-9-]{0,30}[a-z0-9])?";
/** A last label without a digit in front: four numbers with a wrong one would be no name. */
const NAME = `(?:${LABEL}\\.){0,3}[a-z](?:[a-z0-9-]{0,30}[a-z0-9])?`;
const BYTE = "(?:25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])";
const IPV4 = `${BYTE}(?:\\.${BYTE}){3}`;
const GROUP = "[0-9a-f]{1,4}";
const IPV6 = `\\[(?:(?:${GROUP}:){7}${GROUP}|(?:${GROUP}:){1,6}:${GROUP}|::(?:${GROUP})?)\\]`;
const HOST = `(?:${NAME}|${IPV4}|${IPV6})`;
const ADDRESS = `${HOST}:${PORT}`;
const QUERY = "(?:[a-z]+=[A-Za-z0-9.:_-]*(?:&[a-z]+=[A-Za-z0-9.:_-]*){0,3})?";

/** URLs that an instance can be made of. */
export const INSTANCE_URL_PATTERN = `^(?:server|client)://(?:[A-Za-z0-9_.~-]{1,64}@)?${ADDRESS}/${ADDRESS}(?:,${ADDRESS}){0,2}(?:\\?${QUERY})?$`;

/** Targets of a TCP ping. */
export const TARGET_PATTERN = `^${ADDRESS}$`;
