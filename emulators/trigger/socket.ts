import type { Server as HttpServer } from "node:http";
import { Server as SocketServer } from "socket.io";
import { z } from "zod";
import { hasKey } from "./auth.ts";
import type { Server } from "./server.ts";

const Subscription = z.object({ version: z.literal("1"), runFriendlyIds: z.array(z.string()) });

/** Tells the CLI that one of its runs has a new snapshot, which it then requests over HTTP. */
export class RunNotifications {
  readonly #io = new SocketServer({ serveClient: false, destroyUpgrade: false, transports: ["websocket"] });
  readonly #workers = this.#io.of("/dev-worker");

  constructor({ secretKey, engine }: Pick<Server, "secretKey" | "engine">) {
    this.#workers.use((socket, next) => {
      const { authorization } = socket.handshake.headers;
      if (hasKey(authorization, [secretKey])) next();
      else next(new Error("Invalid API key"));
    });
    this.#workers.on("connection", (socket) => {
      engine.log("trigger.dev CLI connected");
      socket.on("disconnect", () => engine.log("trigger.dev CLI disconnected"));
      socket.on("run:subscribe", (message: unknown) => {
        const subscription = Subscription.safeParse(message);
        if (subscription.success) void socket.join(subscription.data.runFriendlyIds);
      });
      socket.on("run:unsubscribe", (message: unknown) => {
        const subscription = Subscription.safeParse(message);
        for (const id of subscription.data?.runFriendlyIds ?? []) void socket.leave(id);
      });
    });
  }

  attach(server: HttpServer): void {
    this.#io.attach(server);
  }

  notify(friendlyId: string): void {
    this.#workers.to(friendlyId).emit("run:notify", { version: "1", run: { friendlyId } });
  }
}
