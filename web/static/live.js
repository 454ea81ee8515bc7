// What changes elsewhere: subscriptions over one WebSocket, begun again after each break.

const PROTOCOL = "graphql-transport-ws";
const FIRST_PAUSE_MS = 1_000;
const LONGEST_PAUSE_MS = 30_000;
// The server is about to stop, has too much to tell, or the database is away: all of them come back.
const FOR_A_WHILE = ["SERVICE_UNAVAILABLE", "INTERNAL_SERVER_ERROR", "RATE_LIMITED"];

/**
 * @typedef {{query: string, variables?: Record<string, unknown>, next: (data: any) => void}} Watch
 */

/**
 * Watch until the page is left. `resumed` is called after a break, when something may have been missed; `ended` with the
 * code of a refusal, after which nothing more comes.
 * @param {Watch[]} watches @param {{resumed: () => void, ended: (code: string) => void}} on
 */
export function watch(watches, on) {
  let pause = FIRST_PAUSE_MS;
  let isFirst = true;
  connect();

  function connect() {
    const socket = new WebSocket(new URL("/graphql", location.href.replace(/^http/, "ws")), PROTOCOL);
    let isOver = false;
    socket.addEventListener("open", () => socket.send(JSON.stringify({ type: "connection_init" })));
    socket.addEventListener("message", ({ data }) => receive(JSON.parse(data)));
    socket.addEventListener("close", () => {
      if (isOver) return;
      // Not all pages at once, after a restart.
      setTimeout(connect, pause * (0.5 + Math.random()));
      pause = Math.min(pause * 2, LONGEST_PAUSE_MS);
    });

    /** @param {{type: string, id?: string, payload?: any}} message */
    function receive({ type, id, payload }) {
      if (type === "ping") socket.send(JSON.stringify({ type: "pong" }));
      if (type === "connection_ack") begin();
      const errors = type === "error" ? payload : payload?.errors;
      if (errors) end(errors[0].extensions?.code ?? "UNKNOWN");
      else if (type === "next") told(Number(id), payload.data);
    }

    /** @param {number} id @param {any} data */
    function told(id, data) {
      pause = FIRST_PAUSE_MS;
      watches[id].next(data);
    }

    function begin() {
      watches.forEach(({ query, variables = {} }, id) => {
        socket.send(JSON.stringify({ id: String(id), type: "subscribe", payload: { query, variables } }));
      });
      if (!isFirst) on.resumed();
      isFirst = false;
    }

    /** @param {string} code */
    function end(code) {
      if (FOR_A_WHILE.includes(code)) return socket.close();
      if (isOver) return;
      isOver = true;
      socket.close();
      on.ended(code);
    }
  }
}

