// A client that is not ours, as a guest of the house. It is told where it is by the first line on its standard input.
// It asks for a person's help by a line `visit URL`, and the next line that it reads is where the browser ended.
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

/** One thing that works. */
export async function step(words, what) {
  const result = await what()
  console.log(`step ${words}`)
  return result
}

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

export function done() {
  console.log('done')
  process.exit(0)
}
