/** The log as components read it. */

import type { ComputedRef, ShallowRef } from 'vue'
import { computed, nextTick, onMounted, onUnmounted, shallowRef } from 'vue'

import { Gather } from './gather'
import type { Snapshot } from './model'
import { LogModel } from './model'
import type { Connection } from './stream'
import { LogStream } from './stream'
import { whileVisible } from './visible'

export interface Log {
  connection: ShallowRef<Connection>
  /** What is to be shown: what there is now, or what there was when it was paused. */
  shown: ComputedRef<Snapshot>
  paused: ComputedRef<boolean>
  /** So many events have come since it was paused. */
  newer: ComputedRef<number>
  pause(on: boolean): void
}

/** Watches the log as long as the component is mounted, and its page visible. */
export function useLog(): Log {
  const model = new LogModel()
  const now = shallowRef(model.snapshot())
  const held = shallowRef<Snapshot>()
  const connection = shallowRef<Connection>({ phase: 'connecting' })
  const gather = new Gather(async () => {
    now.value = model.snapshot()
    await nextTick()
  })
  const changes = <Args extends unknown[]>(change: (...args: Args) => void) => (...args: Args): void => {
    change(...args)
    gather.note()
  }
  const stream = new LogStream({
    connection: (state) => { connection.value = state },
    begin: changes((state, fresh) => model.begin(state, fresh)),
    head: changes((state) => model.head(state)),
    event: changes((event) => model.event(event)),
    skipped: changes((count) => model.skip(count)),
    persister: changes((persister) => model.readModel(persister)),
    signed: changes((signed) => model.notary(signed)),
  })
  let leave = (): void => {}
  onMounted(() => { leave = whileVisible(document, () => stream.open(), () => stream.close()) })
  onUnmounted(() => {
    leave()
    gather.stop()
  })
  return {
    connection,
    shown: computed(() => held.value ?? now.value),
    paused: computed(() => held.value !== undefined),
    newer: computed(() => (held.value === undefined ? 0 : Math.max(0, total(now.value) - total(held.value)))),
    pause(on) { held.value = on ? now.value : undefined },
  }
}

function total(snapshot: Snapshot): number {
  return snapshot.seen + snapshot.skipped
}
