/** Whether a text is `whsec_` and 24 to 64 bytes in base64, the sizes that standardwebhooks.com requires. */
export const isWebhookSecret = (text: string) => {
  const encoded = text.replace(/^whsec_/, "");
  const bytes = Buffer.from(encoded, "base64");
  const isBase64 = encoded !== text && bytes.toString("base64") === encoded;
  return isBase64 && bytes.length >= 24 && bytes.length <= 64;
};
