import type { Socket } from 'node:net'

const HEAD_END = '\r\n\r\n'

/**
 * Reads the request that a connection begins with, and asks in it for a connection of its own: one that ends with the
 * answer. Resolves with nothing if the connection closes before. Knows bodies by their `Content-Length` only.
 */
export function readRequest(socket: Socket): Promise<string | undefined> {
  return new Promise((resolve) => {
    let text = ''
    const take = (bytes: Buffer): void => {
      // One character is one byte.
      text += bytes.toString('latin1')
      if (!isComplete(text)) return
      socket.off('data', take)
      resolve(closing(text))
    }
    socket.on('data', take)
    socket.once('close', () => resolve(undefined))
  })
}

function isComplete(text: string): boolean {
  const headEnd = text.indexOf(HEAD_END)
  if (headEnd === -1) return false
  const [, length = '0'] = /^content-length: *(\d+)/im.exec(text.slice(0, headEnd)) ?? []
  return text.length >= headEnd + HEAD_END.length + Number(length)
}

function closing(request: string): string {
  const headEnd = request.indexOf(HEAD_END)
  const head = request.slice(0, headEnd).replace(/\r\nconnection:[^\r]*/i, '')
  return `${head}\r\nConnection: close${request.slice(headEnd)}`
}
