import { useLayoutEffect, useRef, useState } from "preact/hooks";
import { formatNumber } from "../../format/units.ts";
import { texts } from "../../i18n/index.ts";
import { downloadText } from "../../parts/download.ts";
import { Icon } from "../../parts/icon.tsx";
import { SearchField } from "../../parts/search-field.tsx";
import { findLines, type LogLine } from "../../state/log-lines.ts";
import type { Master } from "../../state/master.ts";
import { useLog } from "../../state/use-log.ts";

const LEVELS = ["debug", "info", "warn", "error"] as const;

export interface LogPanelProps {
  readonly master: Master;
  readonly id: string;
  /** For the name of a download. */
  readonly name: string;
}

/** The log of an instance as it is written. */
export function LogPanel({ master, id, name }: LogPanelProps) {
  const t = texts();
  const lines = useLog(master, id);
  const [least, setLeast] = useState<(typeof LEVELS)[number]>("debug");
  const [query, setQuery] = useState("");
  const [held, setHeld] = useState<readonly LogLine[] | undefined>(undefined);
  const found = findLines(held ?? lines, least, query);
  const missed = held === undefined ? 0 : (lines.at(-1)?.number ?? 0) - (held.at(-1)?.number ?? 0);
  const frame = useRef<HTMLDivElement>(null);
  const isAtEnd = useRef(true);

  useLayoutEffect(() => {
    const { current } = frame;
    if (current !== null && isAtEnd.current && held === undefined) {
      current.scrollTop = current.scrollHeight;
    }
  });

  return (
    <section class="block" aria-labelledby="log-title">
      <div class="block-head">
        <h2 id="log-title">{t.log.title}</h2>
        <div class="spring" />
        <label class="inline">
          <span>{t.log.level}</span>
          <select
            value={least}
            onChange={({ currentTarget }) =>
              setLeast(LEVELS.find((each) => each === currentTarget.value) ?? "debug")
            }
          >
            {LEVELS.map((level) => (
              <option key={level} value={level}>
                {t.log.levels[level]}
              </option>
            ))}
          </select>
        </label>
        <SearchField label={t.log.search} text={query} onText={setQuery} isSmall />
        <button
          type="button"
          aria-pressed={held !== undefined}
          onClick={() => setHeld(held === undefined ? lines : undefined)}
        >
          <Icon name={held === undefined ? "pause" : "play"} />
          {held === undefined ? t.log.pause : t.log.goOn(missed)}
        </button>
        <button
          type="button"
          onClick={() =>
            downloadText(
              `${name.replaceAll(/[^\w.-]+/g, "-")}.log`,
              found.map(({ text }) => `${text}\n`).join(""),
              "text/plain",
            )
          }
        >
          <Icon name="download" /> {t.log.download}
        </button>
      </div>
      <div
        ref={frame}
        class="log mono"
        role="log"
        aria-live="off"
        aria-label={t.log.title}
        // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls can be scrolled by key
        tabIndex={0}
        onScroll={({ currentTarget: { scrollTop, clientHeight, scrollHeight } }) => {
          isAtEnd.current = scrollTop + clientHeight >= scrollHeight - 8;
        }}
      >
        {found.length === 0 ? <p class="dim">{t.log.none}</p> : null}
        {found.map((line) => (
          <Line key={line.number} line={line} />
        ))}
      </div>
      <p class="hint">{t.log.count(formatNumber(found.length))}</p>
    </section>
  );
}

function Line({ line }: { readonly line: LogLine }) {
  return (
    <div class={`log-line ${line.level}`}>
      {line.pieces.map(({ text, colour }, at) =>
        colour === "" ? (
          text
        ) : (
          <span key={at} class={`c-${colour}`}>
            {text}
          </span>
        ),
      )}
    </div>
  );
}
