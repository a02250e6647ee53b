import { Icon } from "./icon.tsx";

/** Why something failed, read out when it appears; nothing while there is no text. */
export function ProblemLine({ text, id }: { readonly text: string; readonly id?: string }) {
  if (text === "") return null;
  return (
    <p class="problem" id={id} role="alert">
      <Icon name="warning" /> {text}
    </p>
  );
}
