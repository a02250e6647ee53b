import { useState } from "preact/hooks";
import { texts } from "../i18n/index.ts";
import { Icon } from "./icon.tsx";
import { notifyFailure } from "./notices.tsx";

/** A text to be taken along. */
export function CopyText({ text, label }: { readonly text: string; readonly label: string }) {
  return (
    <div class="copy-text">
      <code class="mono break">{text}</code>
      <CopyButton text={text} label={label} />
    </div>
  );
}

/** Puts a text where others can paste it. */
function CopyButton({ text, label }: { readonly text: string; readonly label: string }) {
  const [isDone, setDone] = useState(false);
  const t = texts();
  const copy = async (): Promise<void> => {
    try {
      await putOnClipboard(text);
      setDone(true);
      setTimeout(() => setDone(false), 1500);
    } catch (error) {
      notifyFailure(error);
    }
  };
  return (
    <button
      type="button"
      class="ghost"
      aria-label={`${t.copy}: ${label}`}
      title={t.copy}
      onClick={() => void copy()}
    >
      <Icon name={isDone ? "check" : "copy"} />
      <span class="sr" role="status">
        {isDone ? t.copied : ""}
      </span>
    </button>
  );
}

async function putOnClipboard(text: string): Promise<void> {
  // Over plain HTTP from another machine browsers have no clipboard for scripts but this old way.
  if (navigator.clipboard !== undefined) return navigator.clipboard.writeText(text);
  const area = document.createElement("textarea");
  area.value = text;
  document.body.append(area);
  area.select();
  const isCopied = document.execCommand("copy");
  area.remove();
  if (!isCopied) throw new Error(texts().copyFailed);
}
