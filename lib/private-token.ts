import { createHash, randomBytes } from 'node:crypto'

/** 32 random bytes as text. */
export function randomToken(): string {
  return randomBytes(32).toString('base64url')
}

/** What is stored and compared instead of a private token: its SHA-256 as text. */
export function hashToken(privateToken: string): string {
  return createHash('sha256').update(privateToken).digest('base64url')
}
