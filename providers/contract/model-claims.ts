import type { Claim, ClaimOutcome, ClaimReply } from '../../lib/comet-state-provider.ts'

/** What is known of a claim. Never changed, only replaced. */
interface KnownClaim {
  readonly run: string
  /** From when on the run can be taken for dead, and from when on it has to be: it may have asked again. */
  readonly deadSeconds: { readonly earliest: number; readonly latest: number }
  readonly reply?: string
}

/** The claims of all clients. None is forgotten before its client: histories end before any has to be. */
export type ModelClaims = ReadonlyMap<string, KnownClaim>

/** Claims the key of a client that exists: what can be answered, and what is known then. */
export function claimed(
  claims: ModelClaims,
  { key, generation, run, runSeconds }: Claim,
  nowSeconds: number,
): { readonly answers: ClaimOutcome[]; readonly claims: ModelClaims } {
  const name = nameOf(generation, key)
  const known = claims.get(name)
  const replies = known?.reply === undefined ? [] : [{ reply: known.reply }]
  if (known !== undefined && known.run !== run) {
    return { answers: replies.length > 0 ? replies : answersAbout(known, nowSeconds), claims }
  }
  const dead = nowSeconds + runSeconds
  const { earliest, latest } = known?.deadSeconds ?? { earliest: dead, latest: dead }
  const deadSeconds = { earliest: Math.min(earliest, dead), latest: Math.max(latest, dead) }
  return {
    answers: ['claimed', ...replies],
    claims: new Map(claims).set(name, { ...known, run, deadSeconds }),
  }
}

export function settled(claims: ModelClaims, { generation, key, run, reply }: ClaimReply): ModelClaims {
  const name = nameOf(generation, key)
  const known = claims.get(name)
  return known?.run === run ? new Map(claims).set(name, { ...known, reply }) : claims
}

/** Time in which nobody swept can be added to runs, as it is to leases. */
export function prolonged(claims: ModelClaims, seconds: number): ModelClaims {
  const later = [...claims].map(([name, claim]) => {
    const { earliest, latest } = claim.deadSeconds
    return [name, { ...claim, deadSeconds: { earliest, latest: latest + seconds } }] as const
  })
  return new Map(later)
}

/** The client of this generation is gone. */
export function withoutClaimsOf(claims: ModelClaims, generation: number): ModelClaims {
  return new Map([...claims].filter(([name]) => !name.startsWith(nameOf(generation, ''))))
}

function answersAbout({ deadSeconds: { earliest, latest } }: KnownClaim, nowSeconds: number): ClaimOutcome[] {
  if (nowSeconds < earliest) return ['running']
  return nowSeconds < latest ? ['running', 'unknown'] : ['unknown']
}

function nameOf(generation: number, key: string): string {
  return `${generation} ${key}`
}
