/** Who has not answered by then is taken for one who is not there. */
const LONGEST_MS = 5000

/** Asks the app. What it answers with an error is thrown with its text and `status`. */
export async function post(path, body, privateToken) {
  const headers = { 'Content-Type': 'application/json' }
  if (privateToken) headers.Authorization = `Bearer ${privateToken}`
  const { ok, status, text } = await answerOf(path, { method: 'POST', headers, body: JSON.stringify(body) })
  if (!ok) throw Object.assign(new Error(text), { status })
  return text && JSON.parse(text)
}

async function answerOf(path, init) {
  try {
    const response = await fetch(path, { ...init, signal: AbortSignal.timeout(LONGEST_MS) })
    return { ok: response.ok, status: response.status, text: await response.text() }
  } catch {
    throw new Error('The server cannot be reached. Try again in a moment.')
  }
}
