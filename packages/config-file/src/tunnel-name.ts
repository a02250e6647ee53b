/** A name of a tunnel: it is its alias in a master, and stays when the URL changes. */
export const NAME_FORM = "1 to 64 letters, digits, dots, dashes and underscores";
export const NAME = /^[\p{L}\p{N}._-]{1,64}$/u;
