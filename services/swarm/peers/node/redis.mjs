// Socket.IO's server with its Redis Streams adapter: messages go through a stream in Redis to everyone who is
// connected to any server, and connectionStateRecovery reads from there what a client has missed.
//
// HOST, PORT: where to listen. REDIS_SOCKET: the path of Redis's unix socket.
import { createServer } from "node:http";
import { createAdapter } from "@socket.io/redis-streams-adapter";
import { createClient } from "redis";
import { Server } from "socket.io";

const redis = createClient({ socket: { path: process.env.REDIS_SOCKET } });
redis.on("error", (error) => {
  console.error(error);
  process.exit(1);
});
await redis.connect();

const http = createServer();
const io = new Server(http, { adapter: createAdapter(redis), connectionStateRecovery: {} });

io.on("connection", (socket) => {
  socket.on("chat message", (content, clientOffset, ack) => {
    io.emit("chat message", content); // the adapter adds the offset
    ack(); // there is no way to learn when the stream has it
  });
});

http.listen({ host: process.env.HOST, port: Number(process.env.PORT), backlog: 4096 });
