/** What middleware leaves in the context of a request. */
export interface Env {
  Variables: {
    requestId: string;
    /** Set by the problem of a failure on our side; goes to the log, not to the caller. */
    failure?: string;
  };
}
