import { useState } from "preact/hooks";
import { formatRate } from "../../format/units.ts";
import { texts } from "../../i18n/index.ts";
import { SearchField } from "../../parts/search-field.tsx";
import { findWords } from "../../state/find-words.ts";
import { knownMasters } from "../../state/masters.ts";
import { type Placed, placedIn } from "../../state/peers.ts";
import { CONDITIONS } from "../../state/status.ts";
import { Drawing } from "./drawing.tsx";
import { findPaths, type Path } from "./find-paths.ts";

/** More make no picture any more. */
const MOST_PATHS = 120;

/** Who forwards what to where, at all masters that are known here. */
export function PicturePage() {
  for (const { changes } of knownMasters.value) void changes.value;
  return <Picture placed={placedIn(knownMasters.value)} places={knownMasters.value.length} />;
}

export interface PictureProps {
  readonly placed: readonly Placed[];
  /** How many masters there are. */
  readonly places: number;
}

/** Who forwards what to where. */
export function Picture({ placed, places }: PictureProps) {
  const t = texts();
  const [query, setQuery] = useState("");
  const all = findPaths(placed);
  const found = findWords(all, query, pathText).sort(
    (one, other) =>
      one.place.name.localeCompare(other.place.name) ||
      one.name.localeCompare(other.name, undefined, { numeric: true }),
  );
  const shown =
    found.length <= MOST_PATHS
      ? found
      : // The busiest, then those that somebody should look at.
        [...found]
          .sort(
            (one, other) =>
              other.rate - one.rate ||
              CONDITIONS.indexOf(one.condition) - CONDITIONS.indexOf(other.condition),
          )
          .slice(0, MOST_PATHS);
  return (
    <section aria-labelledby="picture-title">
      <div class="page-head">
        <h1 id="picture-title">{t.pages.picture}</h1>
        <span class="dim">{t.picture.count(all.length, places)}</span>
        <div class="spring" />
        <SearchField label={t.picture.search} text={query} onText={setQuery} />
      </div>
      {shown.length === 0 ? (
        <p class="empty">{all.length === 0 ? t.tunnels.none : t.tunnels.noneFound}</p>
      ) : (
        <>
          <Drawing paths={shown} />
          {shown.length < found.length ? (
            <p class="hint">{t.picture.more(found.length - shown.length)}</p>
          ) : null}
          <ul class="sr" aria-label={t.picture.asText}>
            {shown.map((path) => (
              <li key={path.id}>{pathText(path)}</li>
            ))}
          </ul>
        </>
      )}
    </section>
  );
}

/** A path in a line. */
function pathText({ name, entry, exit, targets, condition, rate }: Path): string {
  const t = texts();
  const end = (each: Path["exit"]): string =>
    each === undefined ? "" : `${each.place?.name ?? t.picture.elsewhere} ${each.address}`;
  const way = [end(entry), ...(exit === undefined ? [] : [end(exit)]), targets.join(", ") || "?"];
  return `${name}: ${way.join(" → ")}, ${t.conditions[condition]}, ${formatRate(rate)}`;
}
