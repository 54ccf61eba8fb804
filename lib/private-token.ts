import { hash, randomBytes } from 'node:crypto'

/** How many characters a private token has at least: base64url of 128 random bits. */
export const MIN_PRIVATE_TOKEN_LENGTH = 22

/** 32 random bytes as text. */
export function randomToken(): string {
  return randomBytes(32).toString('base64url')
}

/** What is stored and compared instead of a private token: its SHA-256 as text. */
export function hashToken(privateToken: string): string {
  return hash('sha256', privateToken, 'base64url')
}
