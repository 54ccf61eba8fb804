import { type Arbitrary, nat } from 'fast-check'

/** Any code point but halves of pairs, each as likely. The unit `binary` of fast-check takes a second to set up. */
export const anyCharacter: Arbitrary<string> = nat({ max: 0x10ffff - 0x800 }).map((index) =>
  String.fromCodePoint(index < 0xd800 ? index : index + 0x800),
)
