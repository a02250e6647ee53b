import type { ComponentChildren } from "preact";
import { useEffect, useId, useRef } from "preact/hooks";
import { texts } from "../i18n/index.ts";
import { Icon } from "./icon.tsx";

export interface DialogProps {
  readonly title: string;
  readonly onClose: () => void;
  readonly children: ComponentChildren;
  /** A dialog that cannot be left without an answer. @default false */
  readonly mustAnswer?: boolean;
}

/** A dialog over the page; the browser keeps the focus in it and brings it back afterwards. */
export function Dialog({ title, onClose, children, mustAnswer = false }: DialogProps) {
  const dialog = useRef<HTMLDialogElement>(null);
  const name = useId();
  useEffect(() => {
    const { current } = dialog;
    current?.showModal();
    return () => current?.close();
  }, []);
  return (
    <dialog
      ref={dialog}
      aria-labelledby={name}
      onCancel={(event) => {
        event.preventDefault();
        if (!mustAnswer) onClose();
      }}
    >
      <header class="dialog-head">
        <h2 id={name}>{title}</h2>
        {mustAnswer ? null : (
          <button type="button" class="ghost" aria-label={texts().close} onClick={onClose}>
            <Icon name="close" />
          </button>
        )}
      </header>
      {children}
    </dialog>
  );
}
