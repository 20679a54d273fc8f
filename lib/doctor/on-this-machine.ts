/** Whether a URL, of any protocol, names this machine by a loopback address. */
export function isOnThisMachine(url: string): boolean {
  return (
    URL.canParse(url) &&
    /^(localhost|127\.\d+\.\d+\.\d+|\[::1\])$/i.test(new URL(url.replace(/^\w+:/, "http:")).hostname)
  );
}

/** Host and port of a URL, which may be shown. */
export function placeOf(url: string): string {
  const { host } = new URL(url);
  return isOnThisMachine(url) ? `${host}, on this machine` : host;
}
