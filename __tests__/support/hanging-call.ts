import { eventually } from './eventually.ts'
import type { GatedProvider } from './gated-provider.ts'

type Call = 'getClient' | 'renewLeases' | 'catchUp' | 'append'

/**
 * The next such call hangs until it is let go: by default after the store has done it. `asked` resolves when the call
 * was made.
 */
export function hangingCall(
  gate: GatedProvider,
  call: Call,
  when: 'before' | 'after' = 'after',
): { readonly asked: Promise<void>; letGo(): void } {
  const ask = gate[call].bind(gate) as (...details: unknown[]) => Promise<unknown>
  let isAsked = false
  Object.assign(gate, {
    [call]: (...details: unknown[]) => {
      isAsked = true
      return ask(...details)
    },
  })
  const letGo = gate.hangNext(call, { when })
  return { asked: eventually(() => isAsked), letGo }
}
