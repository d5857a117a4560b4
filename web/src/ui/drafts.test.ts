import { expect, test } from 'vitest'

import { Drafts } from './drafts'

test('a draft waits in its conversation', () => {
  const drafts = new Drafts()
  expect(drafts.get('ana', 'room/general')).toBe('')
  drafts.set('ana', 'room/general', 'to be continued')
  drafts.set('ana', 'user/boris', 'dear Boris')
  expect(drafts.get('ana', 'room/general')).toBe('to be continued')
  expect(drafts.get('ana', 'user/boris')).toBe('dear Boris')
})

test('nothing is kept of a draft that is empty', () => {
  const drafts = new Drafts()
  drafts.get('ana', 'room/general')
  drafts.set('ana', 'room/general', 'to be')
  drafts.set('ana', 'room/general', '')
  expect(drafts.count).toBe(0)
})

test('whoever comes next finds no draft, nor does who was there before if he comes back', () => {
  const drafts = new Drafts()
  drafts.get('ana', 'room/general')
  drafts.set('ana', 'room/general', 'a secret')
  expect(drafts.get('boris', 'room/general')).toBe('')
  drafts.set('ana', 'room/general', 'another secret')
  expect(drafts.get('boris', 'room/general')).toBe('')
  expect(drafts.get('ana', 'room/general')).toBe('')
})
