import { eventually } from './eventually.ts'
import type { GatedProvider } from './gated-provider.ts'

type Call = 'getClient' | 'renewLeases' | 'catchUp' | 'append'

/**
 * The next such call hangs after the store has done it, until it is let go. `asked` resolves when the call was made.
 */
export function hangingCall(
  gate: GatedProvider,
  call: Call,
): { readonly asked: Promise<void>; letGo(): void } {
  const ask = gate[call].bind(gate) as (...details: unknown[]) => Promise<unknown>
  let isAsked = false
  Object.assign(gate, {
    [call]: (...details: unknown[]) => {
      isAsked = true
      return ask(...details)
    },
  })
  const letGo = gate.hangNext(call, { when: 'after' })
  return { asked: eventually(() => isAsked), letGo }
}
