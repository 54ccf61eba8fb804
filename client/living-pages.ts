import { pause } from './abortable.ts'

/** How long a page may take to answer that it lives. */
const ANSWER_WITHIN_MS = 200

/** Answers for a page, until what it returns is closed, whoever asks whether it lives. */
export function answerAsLiving(page: string): BroadcastChannel | undefined {
  return open(page, 'living?', (channel) => channel.postMessage('living'))
}

/** Whether a page of this browser answers to that id: then this tab is a duplicate. Without BroadcastChannel: no. */
export async function isLiving(page: string, signal: AbortSignal): Promise<boolean> {
  let living = false
  const channel = open(page, 'living', () => {
    living = true
  })
  channel?.postMessage('living?')
  if (channel) await pause(ANSWER_WITHIN_MS, signal)
  channel?.close()
  return living
}

function open(
  page: string,
  awaited: string,
  onAwaited: (channel: BroadcastChannel) => void,
): BroadcastChannel | undefined {
  try {
    const channel: BroadcastChannel & { unref?(): void } = new BroadcastChannel(`koa-comet ${page}`)
    channel.onmessage = ({ data }) => data === awaited && onAwaited(channel)
    // In Node an open one would keep the process alive.
    channel.unref?.()
    return channel
  } catch {
    return undefined
  }
}
