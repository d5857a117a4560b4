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

function shelf(): Pick<Storage, 'getItem' | 'setItem' | 'removeItem'> {
  const items = new Map<string, string>()
  return {
    getItem: (name) => items.get(name) ?? null,
    setItem: (name, value) => void items.set(name, value),
    removeItem: (name) => void items.delete(name),
  }
}

test('a draft is still there when the page is loaded again, for the same user', () => {
  const kept = shelf()
  const before = new Drafts(kept)
  before.get('ana', 'room/general')
  before.set('ana', 'room/general', 'to be continued')
  expect(new Drafts(kept).get('ana', 'room/general')).toBe('to be continued')
  expect(new Drafts(kept).get('boris', 'room/general')).toBe('')
  before.set('ana', 'room/general', '')
  expect(new Drafts(kept).count).toBe(0)
})

test('nothing stays behind of the drafts of who was there before', () => {
  const kept = shelf()
  const drafts = new Drafts(kept)
  drafts.get('ana', 'room/general')
  drafts.set('ana', 'room/general', 'a secret')
  drafts.get('boris', 'room/general')
  expect(new Drafts(kept).get('ana', 'room/general')).toBe('')
})

test.each(['', 'rubbish', '[]', '{"userID":1,"contents":[]}', '{"userID":"ana","contents":[1]}'])('what is kept as %j is no draft', (text) => {
  const kept = shelf()
  kept.setItem('tidemark drafts', text)
  expect(new Drafts(kept).get('ana', 'room/general')).toBe('')
})

test('where nothing can be kept, a draft lives as long as the page', () => {
  const full = { ...shelf(), setItem: () => { throw new Error('full') } }
  const drafts = new Drafts(full)
  drafts.get('ana', 'room/general')
  drafts.set('ana', 'room/general', 'to be continued')
  expect(drafts.get('ana', 'room/general')).toBe('to be continued')
})

test('whoever signs out leaves no draft behind', () => {
  const kept = shelf()
  const drafts = new Drafts(kept)
  drafts.get('ana', 'room/general')
  drafts.set('ana', 'room/general', 'a secret')
  drafts.of(undefined)
  expect(kept.getItem('tidemark drafts')).toBeNull()
})
