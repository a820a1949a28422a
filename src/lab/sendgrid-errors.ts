import type { HttpResponse } from "./http-message.ts";

/** One error in a body of SendGrid. */
export type SendGridError = {
  readonly message: string;
  /** The field it is about, `personalizations.0.to`, or null. */
  readonly field: string | null;
  /** Page about it, or null. */
  readonly help: string | null;
};

const HELP = "http://sendgrid.com/docs/API_Reference/Web_API_v3/Mail/errors.html";

/** An error about a field, with the part of SendGrid's page that explains it. */
export function fieldError(message: string, field: string, anchor: string): SendGridError {
  return { message, field, help: `${HELP}#${anchor}` };
}

export function plainError(message: string, field: string | null = null): SendGridError {
  return { message, field, help: null };
}

export function errorResponse(
  status: number,
  errors: readonly SendGridError[],
  headers: Readonly<Record<string, string>> = {},
): HttpResponse {
  return { status, headers: { server: "nginx", ...headers }, body: { errors } };
}

/** What the web server in front answers of itself. */
export function nginxResponse(status: number, title: string): HttpResponse {
  const body = `<html>\r\n<head><title>${status} ${title}</title></head>\r\n<body>\r\n<center><h1>${status} ${title}</h1></center>\r\n<hr><center>nginx</center>\r\n</body>\r\n</html>\r\n`;
  return { status, headers: { server: "nginx", "content-type": "text/html" }, body };
}
