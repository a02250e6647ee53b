import {
  hasAtMostCharacters,
  INSTANCE_ACTIONS,
  type InstanceChange,
  MAX_TEXT_CHARACTERS,
  ServiceError,
} from "@nodepass/model";

/**
 * Checks what can be said of a change without looking at the instance.
 *
 * @throws {ServiceError} `INVALID`
 */
export function checkChange({ alias, meta, action }: InstanceChange): void {
  checkText("alias", alias);
  checkText("meta.peer.sid", meta?.peer?.sid);
  checkText("meta.peer.type", meta?.peer?.type);
  checkText("meta.peer.alias", meta?.peer?.alias);
  for (const [name, value] of Object.entries(meta?.tags ?? {})) {
    checkText("meta.tags", name);
    checkText("meta.tags", value);
  }
  if (action !== undefined && !INSTANCE_ACTIONS.includes(action)) {
    throw new ServiceError("INVALID", "action is none of start, stop, restart, reset");
  }
}

/** @throws {ServiceError} `INVALID` if a text is too long */
export function checkText(name: string, text: string | undefined): void {
  if (text === undefined || hasAtMostCharacters(text, MAX_TEXT_CHARACTERS)) return;
  throw new ServiceError("INVALID", `${name} has more than ${MAX_TEXT_CHARACTERS} characters`);
}
