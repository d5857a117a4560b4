/** Names as they are shown. Anybody may have chosen them: they are text of any script, and may have nothing to see. */

const invisible = /^[\p{Default_Ignorable_Code_Point}\p{C}\p{Z}\s\u2800]*$/u
const bidiControls = /[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/g

/** The name, or, where nobody could see it, or hear it read out, words in its place. */
export function visibleName(name: string): string {
  return invisible.test(name) ? '(name without letters)' : name
}

/** The name for where no element can isolate it: without what would turn round the text after it. */
export function plainName(name: string): string {
  return visibleName(name.replace(bidiControls, ''))
}
