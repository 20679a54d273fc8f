type Body = { message: string; type: string; param: string | null; code: string | null };

/** A response other than 2xx, in the shape of https://platform.openai.com/docs/guides/error-codes. */
export class ApiError extends Error {
  readonly status: number;
  readonly body: Body;
  readonly headers: Record<string, string>;

  constructor(
    status: number,
    body: Partial<Body> & { message: string },
    headers: Record<string, string> = {},
  ) {
    super(body.message);
    this.name = "ApiError";
    this.status = status;
    this.body = { type: "invalid_request_error", param: null, code: null, ...body };
    this.headers = headers;
  }

  toResponse(): Response {
    return Response.json({ error: this.body }, { status: this.status, headers: this.headers });
  }
}

export const serverError = () =>
  new ApiError(500, {
    message: "The server had an error while processing your request. Sorry about that!",
    type: "server_error",
  });
