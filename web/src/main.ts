/** The chat, at `/`. */

import { createApp } from 'vue'

import { startChat } from './chat/chat'
import { chatKey } from './chat/types'
import App from './ui/App.vue'
import Starting from './ui/Starting.vue'
import './ui/style.css'

async function start(): Promise<void> {
  const starting = createApp(Starting)
  starting.mount('#app')
  try {
    const chat = await startChat()
    starting.unmount()
    createApp(App).provide(chatKey, chat).mount('#app')
  } catch (error) {
    starting.unmount()
    createApp(Starting, { failure: error instanceof Error ? error.message : String(error) }).mount('#app')
  }
}

void start()
