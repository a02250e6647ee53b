import { badRequest, failure, internal, tooLarge, unauthorized } from "@nodepass/master-api";

/** Error answers of a hub's routes, to be spread into their `responses`. */
export const answers = {
  /** Of every route that takes a token. */
  token: {
    ...unauthorized,
    403: failure("The token's role may not do this", "the role viewer may not do this"),
  },
  body: { ...badRequest("alias: longer than 256 characters"), ...tooLarge },
  query: badRequest("selector: condition is none of name=value, name!=value, name, !name"),
  master: { 404: failure("There is no such master for this token", "there is no such master") },
  service: { 404: failure("There is no such service for this token", "there is no such service") },
  conflict: {
    409: failure("It can't be done as things are", "no master has the labels and a free port"),
  },
  revision: {
    412: failure("Somebody has changed it since", "the service is at revision 12, not 11"),
  },
  unavailable: {
    503: failure(
      "The store or a master can't be reached, or the change can't be recorded",
      "the store can't be reached",
    ),
  },
  internal,
} as const;
