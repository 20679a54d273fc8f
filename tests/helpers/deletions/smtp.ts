import { createServer, type Socket } from "node:net";
import { onFreePort } from "../on-free-port.ts";

/** What a mail server does when it has received a whole message, or rejects a command with one of `replies`. */
export type Behavior = {
  atEnd?: "accept" | "drop" | "hang" | `${number} ${string}`;
  replies?: Record<string, string>;
};

const EHLO = "250-mail.test\r\n250 AUTH PLAIN";

/** A mail server that keeps each message that it has read to the end, and then behaves as configured. */
export async function startSmtp() {
  const state = { behavior: {} as Behavior, messages: [] as string[], commands: [] as string[] };
  const sockets = new Set<Socket>();

  function end(socket: Socket, message: string) {
    state.messages.push(message);
    const { atEnd = "accept" } = state.behavior;
    if (atEnd === "drop") socket.destroy();
    else if (atEnd !== "hang") socket.write(`${atEnd === "accept" ? "250 accepted" : atEnd}\r\n`);
  }

  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket)).on("error", () => {});
    let rest = "";
    let data: string[] | undefined;
    socket.write("220 mail.test\r\n");
    socket.setEncoding("utf8").on("data", (chunk) => {
      const lines = (rest + chunk).split("\r\n");
      rest = lines.pop() ?? "";
      for (const line of lines) {
        if (data && line === ".") {
          end(socket, data.join("\n"));
          data = undefined;
        } else if (data) data.push(line);
        else {
          const verb = line.slice(0, 4).toUpperCase();
          state.commands.push(line);
          const defaults: Record<string, string> = {
            EHLO,
            DATA: "354 go on",
            AUTH: "235 welcome",
            QUIT: "221 bye",
          };
          const reply = state.behavior.replies?.[verb] ?? defaults[verb] ?? "250 ok";
          if (reply === "drop") socket.destroy();
          else socket.write(`${reply}\r\n`);
          if (verb === "DATA" && reply.startsWith("354")) data = [];
        }
      }
    });
  });
  const { port, close } = await onFreePort(server);
  return {
    url: `smtp://user:password@127.0.0.1:${port}`,
    behave(behavior: Behavior) {
      state.behavior = behavior;
    },
    messagesTo: (address: string) => state.messages.filter((message) => message.includes(`To: ${address}`)),
    /** The addresses of all RCPT TO, in order. */
    recipients: () => state.commands.flatMap((line) => /^RCPT TO:<(.*)>/i.exec(line)?.[1] ?? []),
    logins: () => state.commands.flatMap((line) => /^AUTH PLAIN (.*)$/i.exec(line)?.[1] ?? []),
    async close() {
      for (const socket of sockets) socket.destroy();
      await close();
    },
  };
}
