/** Control characters, line ends, and what turns the direction of writing or cannot be seen. */
const UNWANTED = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Co}\p{Cn}]+/gu;

/** A stranger's text as one line that shows all that it holds and changes nothing of what stands around it. */
export function toLine(text: string): string {
  return text.toWellFormed().replaceAll(UNWANTED, ' ').trim();
}
