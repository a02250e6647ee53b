const formats = new Map<string, Intl.NumberFormat>();

/** A count as a language writes it. */
export function number(value: number, locale: string): string {
  let format = formats.get(locale);
  if (format === undefined) {
    format = new Intl.NumberFormat(locale);
    formats.set(locale, format);
  }
  return format.format(value);
}
