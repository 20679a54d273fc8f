// Preloaded (NODE_OPTIONS=--import) into every Node.js process below `npm run dev`. If `npm run dev` is killed and
// cannot stop them, they exit within a second instead of holding the ports.
const parent = Number(process.env.AFTERCOMMIT_DEV_PID);

if (parent) {
  setInterval(() => {
    try {
      process.kill(parent, 0);
    } catch {
      process.exit(1);
    }
  }, 1_000).unref();
}
