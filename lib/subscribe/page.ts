/** Which page of a client sends a request: a random id per page life. Requests without one count as one page. */
export interface Page {
  readonly id: string
  /** Whether it had no answer yet: only such a page takes the client over from another. */
  readonly take: boolean
}
