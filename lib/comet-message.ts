import type { WireMessage } from './wire.ts'

/** A message on its way through the channel. Its contents are serialised once, when it is sent. */
export interface CometMessage {
  readonly name: string
  /** JSON text. */
  readonly contents: string
}

/** The JSON text of a message's element of the array that answers a poll. */
export function messageToJson(messageId: number, message: CometMessage): string {
  return `{"mid":${messageId},"n":${JSON.stringify(message.name)},"c":${message.contents}}`
}

/** The JSON text of a control message. */
export function controlToJson(message: WireMessage): string {
  return JSON.stringify(message)
}
