import { expect, test } from 'vitest'

import type { Line } from '../chat/types'
import { listPeople, mostShown } from './people'

function person(userID: string, title = userID): Line {
  return {
    key: `user/${userID}`, conversation: { user: userID }, title, unread: 0, refused: 0, newest: 0, self: false,
    person: { userID, username: title, connected: true },
  }
}

const crowd = Array.from({ length: 5_000 }, (_, n) => person(`u${n}`, `Person ${n}`))

test('the first ones are listed in their order, and all are counted', () => {
  const { lines, found } = listPeople(crowd, '', undefined)
  expect(lines).toEqual(crowd.slice(0, mostShown))
  expect(found).toBe(5_000)
})

test('the filter finds whoever is beyond the list, and counts the others that match', () => {
  expect(listPeople(crowd, ' person 4999 ', undefined)).toEqual({ lines: [crowd[4_999]], found: 1 })
  expect(listPeople(crowd, 'person 4', undefined).found).toBe(1_111)
  expect(listPeople(crowd, 'nobody', undefined)).toEqual({ lines: [], found: 0 })
})

test('case and accents do not matter to the filter', () => {
  const people = [person('a', 'Zoë'), person('b', 'ÅSA'), person('c', 'Zoran')]
  expect(listPeople(people, 'zoe', undefined).lines).toEqual([people[0]])
  expect(listPeople(people, 'åsa', undefined).lines).toEqual([people[1]])
})

test('whose conversation is open is listed once, wherever he stands', () => {
  expect(listPeople(crowd, '', 'user/u4999').lines).toEqual([...crowd.slice(0, mostShown), crowd[4_999]])
  expect(listPeople(crowd, '', 'user/u3').lines).toEqual(crowd.slice(0, mostShown))
  expect(listPeople(crowd, 'person 12', 'user/u4999').lines).not.toContain(crowd[4_999])
})
