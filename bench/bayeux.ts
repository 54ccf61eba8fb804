/** What a page says by faye's protocol: https://docs.cometd.org/current8/reference/#_bayeux */

export function handshake(connectionType: string): string {
  const message = { channel: '/meta/handshake', version: '1.0', supportedConnectionTypes: [connectionType] }
  return JSON.stringify([message])
}

export function connect(clientId: string, connectionType: string): string {
  return JSON.stringify([{ channel: '/meta/connect', clientId, connectionType }])
}

/** To what all get, and what this page gets. */
export function subscribe(clientId: string, page: string): string {
  const subscription = ['/all', `/page/${page}`]
  return JSON.stringify([{ channel: '/meta/subscribe', clientId, subscription }])
}

export const CLIENT_ID = /"clientId":"([^"]+)"/
