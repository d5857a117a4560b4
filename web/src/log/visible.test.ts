import { expect, test } from 'vitest'

import { whileVisible } from './visible'

class FakePage extends EventTarget {
  constructor(public visibilityState: DocumentVisibilityState) { super() }

  become(state: DocumentVisibilityState): void {
    this.visibilityState = state
    this.dispatchEvent(new Event('visibilitychange'))
  }
}

function watched(state: DocumentVisibilityState) {
  const page = new FakePage(state)
  const told: string[] = []
  const end = whileVisible(page, () => told.push('start'), () => told.push('stop'))
  return { page, told, end }
}

test('a page that is visible starts at once, and stops while it is not', () => {
  const { page, told } = watched('visible')
  expect(told).toEqual(['start'])
  page.become('hidden')
  page.become('hidden')
  expect(told).toEqual(['start', 'stop'])
  page.become('visible')
  expect(told).toEqual(['start', 'stop', 'start'])
})

test('a page that is opened behind another one waits until it is looked at', () => {
  const { page, told } = watched('hidden')
  expect(told).toEqual([])
  page.become('visible')
  expect(told).toEqual(['start'])
})

test('what has ended starts no more', () => {
  const { page, told, end } = watched('visible')
  end()
  end()
  page.become('hidden')
  page.become('visible')
  expect(told).toEqual(['start', 'stop'])
})
