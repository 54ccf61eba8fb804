import { CometChannel } from './comet-channel.ts'

// For a plain script tag; the second name is the one that pages of AspNetComet know.
Object.assign(globalThis, { CometChannel, AspNetComet: CometChannel })
