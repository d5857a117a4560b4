// Socket.IO's server as it is: a message goes to everyone who is connected, and nothing is kept.
//
// HOST, PORT: where to listen. RECOVERY=1: connectionStateRecovery, which keeps the latest messages in memory.
import { createServer } from "node:http";
import { Server } from "socket.io";

const http = createServer();
const io = new Server(http, process.env.RECOVERY ? { connectionStateRecovery: {} } : {});

let count = 0; // stands where the other servers' messages have an offset

io.on("connection", (socket) => {
  socket.on("chat message", (content, clientOffset, ack) => {
    count += 1;
    io.emit("chat message", content, count);
    ack();
  });
});

// The backlog is what Go's servers ask for: everybody may come at once.
http.listen({ host: process.env.HOST, port: Number(process.env.PORT), backlog: 4096 });
