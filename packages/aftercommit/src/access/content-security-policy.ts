/** What the page may load and run: itself only. Next.js puts the nonce, from this header, on its inline scripts. */
export function contentSecurityPolicy(nonce: string, development: boolean): string {
  // `next dev` styles inline and evaluates what it reloads.
  const [style, script] = development ? [" 'unsafe-inline'", " 'unsafe-eval'"] : ["", ""];
  return [
    "default-src 'self'",
    `script-src 'self' 'nonce-${nonce}' 'strict-dynamic'${script}`,
    `style-src 'self'${style}`,
    "object-src 'none'",
    "base-uri 'none'",
    "form-action 'self'",
    "frame-ancestors 'none'",
  ].join("; ");
}
