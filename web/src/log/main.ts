/** The view of the log, at `/log`. */

import { createApp } from 'vue'

import LogPage from './LogPage.vue'
import '../ui/style.css'

createApp(LogPage).mount('#app')
