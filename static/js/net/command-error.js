/**
 * A command that was refused or could not be carried out; `code` is one of the protocol's codes, or AWAY or ABORTED.
 */
export class CommandError extends Error {
  /** @param {{message?: string, code?: string, recoverable?: boolean, context?: string, sqlcode?: number | null,
   *   serverText?: string | null, field?: string | null, details?: object | null}} [error] */
  constructor({
    message,
    code = "UNKNOWN_ERROR",
    recoverable = true,
    context = "",
    sqlcode,
    serverText,
    field,
    details,
  } = {}) {
    super(message ?? code);
    this.name = "CommandError";
    this.code = code;
    this.recoverable = recoverable;
    this.context = context;
    this.sqlcode = sqlcode ?? null;
    this.serverText = serverText ?? null;
    this.field = field ?? null;
    this.details = details ?? null;
  }
}
