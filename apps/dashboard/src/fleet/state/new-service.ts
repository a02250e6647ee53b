import type { GivenService } from "@nodepass/master-client/fleet";
import { DEFAULT_POLICY, type ServicePolicy } from "@nodepass/model/fleet";
import { fillAuto, type UrlProblem } from "@nodepass/url-config";
import { readLabels } from "../../format/labels.ts";
import { checkFields } from "../../state/check-fields.ts";
import { type PairWay, pairUrls } from "../../state/pair.ts";
import { readFields, writeFields } from "../../state/url-text.ts";
import { ANYWHERE, askedPlace, type Placement } from "../parts/place-fields.tsx";

/** What a form says of a new service. */
export interface ServiceDraft extends PairWay {
  readonly kind: "pair" | "single";
  readonly alias: string;
  readonly tags: string;
  readonly policy: ServicePolicy;
  readonly running: boolean;
  /** Where users connect, and where the target is seen from, in a pair. */
  readonly entry: Placement;
  readonly exit: Placement;
  /** More of both URLs' parameters, as they stand there. */
  readonly more: string;
  /** Of a single tunnel. */
  readonly url: string;
  readonly place: Placement;
}

/** What a form begins with. */
export const EMPTY_DRAFT: ServiceDraft = {
  kind: "pair",
  alias: "",
  tags: "",
  policy: DEFAULT_POLICY,
  running: true,
  entry: ANYWHERE,
  exit: ANYWHERE,
  listen: ":auto",
  target: "127.0.0.1:80",
  server: "entry",
  tunnelPort: "auto",
  key: "",
  tls: "1",
  pool: "0",
  more: "",
  url: "client://:auto/127.0.0.1:80?mode=1",
  place: ANYWHERE,
};

/** The URLs of a draft: `server` and `client` of a pair, else the only one. */
export function draftUrls(draft: ServiceDraft): Readonly<Record<string, string>> {
  if (draft.kind === "single") return { only: draft.url.trim() };
  // The hub knows where the server will be.
  const { server, client } = pairUrls(draft, "auto");
  const add = (url: string): string => {
    const fields = readFields(url);
    const more = readFields(`client://x/y?${draft.more.trim()}`).parameters;
    return writeFields({ ...fields, parameters: new Map([...fields.parameters, ...more]) });
  };
  return { server: add(server), client: add(client) };
}

/** What is wrong with a URL, in the words of the command line; what the fleet fills in is right. */
export function urlProblems(url: string): readonly UrlProblem[] {
  return checkFields(fillAuto(url), []).all;
}

/** As the hub is asked for it. */
export function askedService(draft: ServiceDraft): GivenService {
  const { kind, alias, tags, policy, running, entry, exit, place, server } = draft;
  const urls = draftUrls(draft);
  const [atServer, atClient] = server === "entry" ? [entry, exit] : [exit, entry];
  return {
    alias: alias.trim(),
    tags: readLabels(tags),
    policy,
    parts:
      kind === "single"
        ? [{ url: urls.only ?? "", running, ...askedPlace(place) }]
        : [
            { role: "server", url: urls.server ?? "", running, ...askedPlace(atServer) },
            { role: "client", url: urls.client ?? "", running, ...askedPlace(atClient) },
          ],
  };
}
