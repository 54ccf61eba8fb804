// Asked of whoever started the nodes, and not through the channel: no node knows of the others.

const ASK_EVERY_MS = 500

let show

/** @param showNodes given `{ name, state, seconds, pid }` of each node, or undefined when nobody answers */
export function watchNodes(showNodes) {
  show = showNodes
  void askAgain()
}

/** @param order `kill` or `restart` */
export async function orderNode(name, order) {
  await fetch(`/nodes/${name}/${order}`, { method: 'POST' }).catch(() => {})
  await ask()
}

async function askAgain() {
  await ask()
  setTimeout(askAgain, ASK_EVERY_MS)
}

async function ask() {
  const nodes = await fetch('/nodes').then(
    (response) => response.json(),
    () => undefined,
  )
  show(nodes)
}
