import { describe, expect, test } from 'vitest'

import type { Checkpoint, LogState, Persister } from './parse'
import { agoWords, connectionWords, notaryWords, persisterWords, signedWords, sizeWords } from './words'

const state: LogState = { epoch: 'e', first: 1, last: 1340, position: 1340, time: 0 }
const checkpoint: Checkpoint = { size: 1000, root: 'r', key: 'k', epoch: 'e', at: 0 }
const model: Persister = { offset: 1340, at: 0, epoch: 'e', lag: 0, error: undefined }

test.each([[0, '0 s ago'], [-5, '0 s ago'], [12, '12 s ago'], [180, '3 min ago'], [7200, '2 h ago'], [259_200, '3 days ago']])('%d seconds are "%s"', (passed, want) => {
  expect(agoWords(passed * 1000, 0, 'en')).toBe(want)
})

describe('a checkpoint', () => {
  test.each([
    [{}, 'signed 12 s ago, 340 events since'],
    [{ size: 1339 }, 'signed 12 s ago, 1 event since'],
    [{ size: 1340 }, 'signed 12 s ago, nothing since'],
    [{ size: 2000 }, 'signed 12 s ago, of more events than the log has'],
    [{ epoch: 'x' }, 'signed 12 s ago, of another log (epoch x)'],
  ])('%o: %s', (more, want) => {
    expect(signedWords({ ...checkpoint, ...more }, state, 12_000, 'en')).toBe(want)
  })

  test('says how far behind it is, and without one why', () => {
    expect(notaryWords({ is: 'signed', checkpoint }, state, 'en')).toBe('at 1,000, 340 offsets behind')
    expect(notaryWords({ is: 'none' }, state)).toBe('nothing is signed')
    expect(notaryWords({ is: 'unreadable', error: 'no right' }, state)).toBe('no right')
    expect(notaryWords(undefined, state)).toBe('not known yet')
  })
})

test.each([
  [{}, 'at 1,340, up to date'],
  [{ offset: 1339 }, 'at 1,339, 1 offset behind'],
  [{ offset: 0 }, 'nothing projected yet'],
  [{ epoch: 'x' }, 'at 1,340 of another log (epoch x)'],
  [{ error: 'the read model does not answer' }, 'the read model does not answer'],
])('a read model of %o is %s', (more, want) => {
  expect(persisterWords({ ...model, ...more }, state, 'en')).toBe(want)
})

test('sizes and states are words', () => {
  expect([sizeWords(0, 'en'), sizeWords(1023, 'en'), sizeWords(1536, 'en')]).toEqual(['0 B', '1023 B', '1.5 KiB'])
  expect([connectionWords({ phase: 'live' }), connectionWords({ phase: 'offline' }), connectionWords({ phase: 'offline', reason: 'why' })])
    .toEqual(['Live', 'Offline – trying again', 'Offline: why'])
})
