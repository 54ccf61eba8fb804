import type { WireMessage } from '../lib/wire.ts'
import type { CometError } from './comet-error.ts'
import { checkType } from './options.ts'

/** The kinds of handlers, and what each is called with. */
export interface HandlerArguments {
  success: [privateToken: string, alias: string, message: WireMessage]
  failure: [privateToken: string | undefined, alias: string, error: CometError]
  timeout: [privateToken: string, alias: string]
  log: [text: string, detail?: unknown]
}

export type Handler<K extends keyof HandlerArguments> = (...details: HandlerArguments[K]) => unknown

/** A loop over the messages. */
interface Reader {
  /** Set while it waits for its next message; called with that, or with nothing: the end. */
  onNext?: ((next?: WireMessage) => void) | undefined
  /** Set when nothing more comes. A loop that is busy then finds it when it asks for the next. */
  end?: { readonly error: CometError | undefined }
}

/**
 * Everybody who listens to a channel: handlers, and the readers of `for await`. There is no buffer: a message is
 * handed out when somebody listens and no reader is still busy with the one before.
 */
export interface Listeners {
  /** Returns a function that takes the handler away again. One that is there already stays where it is. */
  add<K extends keyof HandlerArguments>(kind: K, handler: Handler<K>): () => void
  /** Calls the handlers of a kind in the order of their adding. What one throws harms no other. */
  call<K extends keyof HandlerArguments>(kind: K, ...details: HandlerArguments[K]): void
  /** Hands a message to readers and success handlers. */
  deliver(...details: HandlerArguments['success']): void
  /** Whether no reader is busy, and at least so many listen. */
  isReady(atLeast: 0 | 1): boolean
  /**
   * Resolves when that may have changed: somebody began to listen, or a reader asks for its next message or ends; and
   * when the signal aborts. One waits at a time.
   */
  change(signal: AbortSignal): Promise<unknown>
  /** The messages from the first call of `next()` on. */
  read(): AsyncGenerator<WireMessage, void, undefined>
  /** Ends the loops of all readers; with an error, they throw it. */
  end(error?: CometError): void
}

/** @param onThrow is told what a handler threw, or its promise rejected with */
export function createListeners(onThrow: (thrown: unknown) => void): Listeners {
  const handlers: { readonly [K in keyof HandlerArguments]: Set<Handler<K>> } = {
    success: new Set(),
    failure: new Set(),
    timeout: new Set(),
    log: new Set(),
  }
  const readers = new Set<Reader>()
  let changed: (event?: unknown) => void = () => {}
  return { add, call, deliver, isReady, change, read, end }

  function add<K extends keyof HandlerArguments>(kind: K, handler: Handler<K>): () => void {
    checkType('handler', 'a function', handler)
    handlers[kind].add(handler)
    changed()
    return () => void handlers[kind].delete(handler)
  }

  function call<K extends keyof HandlerArguments>(kind: K, ...details: HandlerArguments[K]): void {
    for (const handler of [...handlers[kind]]) {
      if (!handlers[kind].has(handler)) continue
      try {
        const result = handler(...details)
        if (result instanceof Promise) result.catch(onThrow)
      } catch (thrown) {
        onThrow(thrown)
      }
    }
  }

  function deliver(...details: HandlerArguments['success']): void {
    // First the readers: they are busy with it from here on, and a handler may stop the channel.
    for (const reader of readers) hand(reader, details[2])
    call('success', ...details)
  }

  function isReady(atLeast: 0 | 1): boolean {
    return readers.size + handlers.success.size >= atLeast && [...readers].every(({ onNext }) => onNext)
  }

  function change(signal: AbortSignal): Promise<unknown> {
    return new Promise((resolve) => {
      // Replaces the one before: a delivery waits often.
      signal.onabort = changed = resolve
    })
  }

  async function* read(): AsyncGenerator<WireMessage, void, undefined> {
    const reader: Reader = {}
    readers.add(reader)
    try {
      while (!reader.end) {
        const next = await new Promise<WireMessage | undefined>((resolve) => {
          reader.onNext = resolve
          changed()
        })
        if (next) yield next
      }
      if (reader.end.error) throw reader.end.error
    } finally {
      readers.delete(reader)
      changed()
    }
  }

  function end(error?: CometError): void {
    for (const reader of readers) {
      reader.end ??= { error }
      hand(reader)
    }
  }
}

function hand(reader: Reader, next?: WireMessage): void {
  reader.onNext?.(next)
  reader.onNext = undefined
}
