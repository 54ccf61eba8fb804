import type { WireMessage } from './wire.ts'

/** A message on its way through the channel. Its contents are serialised once, when it is sent. */
export interface CometMessage {
  readonly name: string
  /** JSON text. */
  readonly contents: string
}

/** The JSON text of a message's element of the array that answers a poll. */
export function messageToJson(messageId: number, { name, contents }: CometMessage): string {
  // A channel has few names, and mostly one at a time.
  if (name !== lastName) {
    lastName = name
    lastNameJson = JSON.stringify(name)
  }
  return `{"mid":${messageId},"n":${lastNameJson},"c":${contents}}`
}

let lastName = ''
let lastNameJson = '""'

/** The JSON text of a control message. */
export function controlToJson(message: WireMessage): string {
  return JSON.stringify(message)
}
