import { afterEach, beforeEach, expect, test, vi } from 'vitest'

import { Gather, pauseAfter } from './gather'

let frames: (() => void)[]
let drawn: number
let gather: Gather

beforeEach(() => {
  vi.useFakeTimers()
  frames = []
  drawn = 0
  vi.stubGlobal('requestAnimationFrame', (run: () => void) => frames.push(run))
  vi.stubGlobal('cancelAnimationFrame', () => { frames = [] })
  gather = new Gather(() => {
    drawn++
    return Promise.resolve()
  })
})

afterEach(() => {
  gather.stop()
  vi.unstubAllGlobals()
  vi.useRealTimers()
})

async function frame(): Promise<void> {
  for (const run of frames.splice(0)) run()
  await vi.advanceTimersByTimeAsync(0)
}

test('whatever comes before a frame is drawn once', async () => {
  for (let i = 0; i < 1000; i++) gather.note()
  expect(frames).toHaveLength(1)
  await frame()
  expect(drawn).toBe(1)
})

test('what comes after it waits, and is drawn with the next one', async () => {
  gather.note()
  await frame()
  for (let i = 0; i < 1000; i++) gather.note()
  expect(frames).toHaveLength(0)
  await vi.advanceTimersByTimeAsync(250)
  expect(frames).toHaveLength(1)
  await frame()
  expect(drawn).toBe(2)
})

test('without anything new nothing is drawn', async () => {
  gather.note()
  await frame()
  await vi.advanceTimersByTimeAsync(10_000)
  expect(frames).toHaveLength(0)
})

test('once stopped it draws no more', async () => {
  gather.note()
  gather.stop()
  gather.note()
  await frame()
  expect(drawn).toBe(0)
})

test('the longer drawing takes, the longer the page is left alone', () => {
  expect([pauseAfter(0), pauseAfter(10), pauseAfter(500)]).toEqual([250, 250, 2000])
})
