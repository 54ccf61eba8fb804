import { CometChannel } from '../../../client/index.ts'

interface Messages {
  Time: string
  Chat: { from: string; text: string }
}

const channel = new CometChannel<Messages>('/comet')
channel.on('Time', (time) => console.log(time.slice(11, 19)))
channel.on('Chat', ({ from, text }, { mid }) => console.log(mid, `${from}: ${text}`))
channel.subscribe()
