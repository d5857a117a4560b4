/** What a tab does with the store when it hears that the user has signed out in another one. */

import { firstRooms, type KeptSession, type Store } from './store'

/** That one has cleared everything; but until it heard of it, this one may have gone on writing. */
export async function forgetUser(
  store: Pick<Store, 'forget' | 'entries' | 'delete' | 'load' | 'forgetRead' | 'leave'>, { sessionID, userID }: KeptSession,
): Promise<void> {
  await store.forget(sessionID)
  const entries = await store.entries()
  await Promise.all(entries.filter(({ user }) => user === userID).map(({ key }) => store.delete(key)))
  const { session, rooms } = await store.load()
  if (session !== undefined) return // somebody else has signed in meanwhile, and the rest is theirs
  const others = rooms.filter((room) => !firstRooms.includes(room))
  await Promise.all([store.forgetRead(), ...others.map((room) => store.leave(room))])
}
