/**
 * The page may load and run only its own resources. Next.js reads the nonce from this header and puts it on its inline
 * scripts.
 *
 * @example
 * headers.set("content-security-policy", contentSecurityPolicy(nonce, false));
 */
export function contentSecurityPolicy(nonce: string, development: boolean): string {
  // `next dev` uses inline styles, and evaluates the modules it reloads.
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
