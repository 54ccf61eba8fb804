export function post(path, body, privateToken) {
  return request('POST', path, { body, privateToken })
}

/** Asks the app. What it answers with an error is thrown with its text and `status`. */
export async function request(method, path, { body, privateToken }) {
  const headers = { 'Content-Type': 'application/json' }
  if (privateToken) headers.Authorization = `Bearer ${privateToken}`
  const response = await fetch(path, { method, headers, body: JSON.stringify(body) }).catch(unreachable)
  const text = await response.text()
  if (!response.ok) throw Object.assign(new Error(text), { status: response.status })
  return text && JSON.parse(text)
}

function unreachable() {
  throw new Error('The server cannot be reached. Try again in a moment.')
}
