// Sends calls through the Node SDK. Prints what it believes.
// Arguments: host, write key, calls, a prefix, pause between calls in seconds.
import { Analytics } from '@segment/analytics-node'

const USERS = 20
const [host, writeKey, calls, prefix, pause] = process.argv.slice(2)
const errors = []
const analytics = new Analytics({ writeKey, host, flushAt: 100, flushInterval: 200 })
analytics.on('error', (error) => errors.push(String(error.code ?? error)))
for (let at = 0; at < Number(calls); at++) {
  const userId = `${prefix}-${at % USERS}`
  if (at < USERS) {
    analytics.identify({ userId, traits: { email: `${userId}@example.org`, at, when: null } })
  } else {
    analytics.track({ userId, anonymousId: `${userId}-a`, event: 'Thing Done', properties: { at } })
  }
  if (Number(pause) > 0) await new Promise((done) => setTimeout(done, Number(pause) * 1000))
}
await analytics.closeAndFlush({ timeout: 120000 })
console.log(JSON.stringify({ sent: Number(calls), errors }))
