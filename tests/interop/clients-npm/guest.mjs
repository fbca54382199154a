// A client that is not ours, as a guest of the house. It is told where it is by the first line on its standard input.
// It asks for a person's help by a line `visit URL`, and the next line that it reads is where the browser ended.
import { request } from 'node:https'
import { createInterface } from 'node:readline'

const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]()
const read = async () => JSON.parse((await lines.next()).value)

/** What the house tells: `issuer`, `clients` by their names, and what else there is. */
export const house = await read()

/** Somebody takes a browser there; gives the URL where it ended. */
export async function visit(url) {
  console.log(`visit ${url}`)
  return new URL(await read())
}

/** One thing that works, and the features that it shows. */
export async function step(words, what, ...features) {
  const result = await what()
  console.log([`step ${words}`, ...features.map((feature) => `works ${feature}`)].join('\n'))
  return result
}

/** Waits as long as a polling client has to. */
export const pause = (seconds) => new Promise((resolve) => setTimeout(resolve, (seconds + 1) * 1000))

/** Fails unless both are the same. */
export function same(actual, expected, what) {
  if (actual !== expected) throw new Error(`${what}: ${JSON.stringify(actual)} is not ${JSON.stringify(expected)}`)
}

/** Fails unless it fails, with this error code. */
export async function refused(code, what) {
  let error
  try {
    await what()
  } catch (thrown) {
    error = thrown
  }
  if (!error) throw new Error(`it was not refused with ${code}`)
  same(error.error ?? error.cause?.error ?? String(error), code, 'the error')
}

/** Fails unless it fails. */
export async function failed(what, words) {
  try {
    await what()
  } catch {
    return
  }
  throw new Error(`it did not fail ${words}`)
}

/** A `fetch` that shows a certificate. */
export function fetchWith({ certificate, key }) {
  return (url, { method, headers, body }) => new Promise((resolve, reject) => {
    const text = body === undefined || body === null ? undefined : String(body)
    const options = { method, headers: Object.fromEntries(new Headers(headers)), cert: certificate, key }
    const sent = request(url, options, (answer) => {
      const pieces = []
      answer.on('data', (piece) => pieces.push(piece))
      answer.on('error', reject)
      answer.on('end', () => {
        const content = Buffer.concat(pieces)
        const fields = Object.entries(answer.headers).flatMap(([name, value]) => [value].flat().map((one) => [name, one]))
        resolve(new Response(content.length ? content : null, { status: answer.statusCode, headers: fields }))
      })
    })
    sent.on('error', reject)
    sent.end(text)
  })
}

export function done() {
  console.log('done')
  process.exit(0)
}
