import { z } from "zod";
import {
  byteLength,
  hasAtMostCharacters,
  isWellFormed,
  MAX_TEXT_CHARACTERS,
  MAX_URL_BYTES,
} from "../text-limits.ts";
import { INSTANCE_URL_PATTERN } from "../url-patterns.ts";

/** A name or a value that people type: at most 256 characters of valid Unicode. */
export const shortText = () =>
  z
    .string()
    .refine((text) => hasAtMostCharacters(text, MAX_TEXT_CHARACTERS), {
      error: `longer than ${MAX_TEXT_CHARACTERS} characters`,
      abort: true,
    })
    .refine(isWellFormed, { error: "not valid Unicode" })
    .meta({ maxLength: MAX_TEXT_CHARACTERS });

/** The URL of an instance, its length checked and no more. */
export const instanceUrl = () =>
  z
    .string()
    .min(1, "missing")
    .refine((url) => byteLength(url) <= MAX_URL_BYTES, {
      error: `longer than ${MAX_URL_BYTES} bytes`,
    })
    .refine(isWellFormed, { error: "not valid Unicode" })
    .meta({
      description: "`server://` or `client://` URL of the tunnel",
      maxLength: MAX_URL_BYTES,
      pattern: INSTANCE_URL_PATTERN,
      example: "server://0.0.0.0:10101/127.0.0.1:8080?tls=1",
    });
