import type { WireMessage } from './wire.ts'

/** A message on its way through the channel. Its contents are serialised once, when it is sent. */
export interface CometMessage {
  readonly name: string
  /** JSON text. */
  readonly contents: string
}

/** What stands between the number of the last message and its contents. Many in a row have the same name. */
const lastName = { name: '', text: ',"n":"","c":' }

/** The JSON text of a message's element of the array that answers a poll. */
export function messageToJson(messageId: number, message: CometMessage): string {
  const { name, contents } = message
  if (name !== lastName.name) {
    lastName.text = `,"n":${JSON.stringify(name)},"c":`
    lastName.name = name
  }
  return `{"mid":${messageId}${lastName.text}${contents}}`
}

/** The JSON text of a control message. */
export function controlToJson(message: WireMessage): string {
  return JSON.stringify(message)
}
