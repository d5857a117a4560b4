import { open } from './tidemark'
import { show } from './ui/page'

const client = open()
show(client, document)
client.connect()
