import { listLabels } from "../../format/labels.ts";

/** Labels or tags, beside each other. */
export function TagList({ labels }: { readonly labels: Readonly<Record<string, string>> }) {
  return (
    <span class="tag-list">
      {listLabels(labels).map((each) => (
        <span key={each} class="tag cut">
          {each}
        </span>
      ))}
    </span>
  );
}
