// eslint-disable-next-line no-control-regex -- control characters are what is removed
const UNWANTED = /[\u0000-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]+/g;

/** A stranger's text on one line, without what would change the lines or the direction of what stands around it. */
export function toLine(text: string): string {
  return text.replace(UNWANTED, ' ').trim();
}
