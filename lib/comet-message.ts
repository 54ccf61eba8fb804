import type { WireMessage } from './wire.ts'

/** A message as the app sees it: what `sendMessage` was given, and the id that the log gave. */
export interface CometMessage {
  readonly messageId: number
  readonly name: string
  readonly contents: unknown
}

/** A message on its way: contents are serialised once, when it is sent. */
export interface SerializedMessage {
  readonly name: string
  /** The contents as JSON text. */
  readonly contents: string
}

/** The JSON text of a message's element of the array that answers a poll. */
export function messageToJson(messageId: number, message: SerializedMessage): string {
  return `{"mid":${messageId},"n":${JSON.stringify(message.name)},"c":${message.contents}}`
}

/** The JSON text of a control message. */
export function controlToJson(message: WireMessage): string {
  return JSON.stringify(message)
}
