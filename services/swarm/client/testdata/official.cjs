// The official client, doing what scenario in official_test.go does with ours.
// node official.cjs <folder with node_modules> <url> <websocket|polling|upgrade>
const { createRequire } = require("node:module");
const [folder, url, transport] = process.argv.slice(2);
const { io } = createRequire(folder + "/package.json")("socket.io-client");

const transports = { websocket: ["websocket"], polling: ["polling"], upgrade: ["polling", "websocket"] }[transport];
const socket = io(url, { transports, auth: { username: "<ann>", serverOffset: 0 }, reconnection: false });

socket.on("connect_error", (error) => {
  if (error.message === "no") return;
  console.error(error);
  process.exit(1);
});
const connected = new Promise((resolve) => socket.on("connect", resolve));
const upgraded = new Promise((resolve) => {
  if (transport !== "upgrade") resolve();
  else socket.io.once("open", () => socket.io.engine.once("upgrade", resolve));
});
Promise.all([connected, upgraded]).then(() => {
  socket.emit("first", "Grüße & <b>", 1, null);
  socket.emit("ask", { text: "x" }, () => {
    socket.emit("ask", [], () => socket.emit("ping me"));
  });
});
socket.on("go", () => socket.disconnect());
