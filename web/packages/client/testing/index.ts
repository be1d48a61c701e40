// A fake world for tests of clients: a clock that moves when told, stores and channels shared by
// tabs, and a server at the far end of an in-memory WebSocket that speaks real frames. The server
// keeps the protocol's promises (dense seq, dedupe, ack after the entry has its place) and nothing
// else; faults are what a test does to it.
export { FakeClock } from "./clock";
export { FakeServer } from "./server";
export { FakeBrowser } from "./browser";
