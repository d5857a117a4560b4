// What the server of Socket.IO's chat tutorial does, in one process: a message is a row in SQLite, acked when it is
// there and then sent to everyone with the row's id; a client that comes back is sent the rows it has not seen.
//
// HOST, PORT: where to listen. DATA_DIR: where the database is. SQLite's settings are its defaults, as in the
// tutorial: a rollback journal and synchronous=FULL, so that each row is on disk when it is acked.
import { createServer } from "node:http";
import { join } from "node:path";
import { Server } from "socket.io";
import { open } from "sqlite";
import sqlite3 from "sqlite3";

const SQLITE_CONSTRAINT = 19;

const database = await open({ filename: join(process.env.DATA_DIR, "chat.db"), driver: sqlite3.Database });
await database.exec(
  "CREATE TABLE messages (id INTEGER PRIMARY KEY AUTOINCREMENT, client_offset TEXT UNIQUE, content TEXT)",
);

const http = createServer();
const io = new Server(http, { connectionStateRecovery: {} });

async function post(content, clientOffset, ack) {
  let row;
  try {
    row = await database.run("INSERT INTO messages (client_offset, content) VALUES (?, ?)", clientOffset, content);
  } catch (error) {
    if (error.errno === SQLITE_CONSTRAINT) ack(); // it is there already; after another error the client sends again
    return;
  }
  io.emit("chat message", content, row.lastID);
  ack();
}

async function replay(socket) {
  const after = socket.handshake.auth.serverOffset ?? 0;
  await database.each("SELECT id, content FROM messages WHERE id > ?", after, (error, row) => {
    if (!error) socket.emit("chat message", row.content, row.id);
  });
}

io.on("connection", (socket) => {
  socket.on("chat message", post);
  if (!socket.recovered) replay(socket);
});

http.listen({ host: process.env.HOST, port: Number(process.env.PORT), backlog: 4096 });
