import { LRUCache } from 'lru-cache';

/** An answer as it goes over the wire, before content coding. Never change its body: every later asker gets the same bytes. */
export interface CachedAnswer {
  /** Strong and quoted, made by `answerKey`; it is the answer's key too. */
  readonly etag: string;
  readonly contentType: string;
  /** Those that follow from table versions, query and scopes. What a release says of itself is not among them. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
}

/** What an entry takes beside its body and its key. */
const ENTRY_BYTES = 500;
/** A larger answer is made anew each time: it would drive out too many others. */
const MAX_SHARE = 1 / 8;
/** Longer requests are parsed each time. */
const MAX_REQUEST_CHARACTERS = 4_096;
/** Of all bytes; a request takes its text and the key that it leads to. */
const REQUESTS_SHARE = 1 / 8;

/**
 * Answers as bytes, the least recently used dropped first. Look-ups come after authorisation. Nothing is ever wrong in
 * here: a key says all that its answer depends on, and releases never change.
 */
export class AnswerCache {
  readonly #answers: LRUCache<string, CachedAnswer>;
  readonly #requests: LRUCache<string, string>;

  constructor(maxBytes: number) {
    const requestBytes = Math.floor(maxBytes * REQUESTS_SHARE);
    this.#answers = new LRUCache({
      maxSize: maxBytes - requestBytes,
      maxEntrySize: Math.floor(maxBytes * MAX_SHARE),
      sizeCalculation: ({ etag, body }) => ENTRY_BYTES + etag.length + body.length,
    });
    this.#requests = new LRUCache({
      maxSize: requestBytes,
      sizeCalculation: (key, request) => ENTRY_BYTES + 2 * request.length + key.length,
    });
  }

  get(etag: string): CachedAnswer | undefined {
    return this.#answers.get(etag);
  }

  set(answer: CachedAnswer): void {
    this.#answers.set(answer.etag, answer);
  }

  /**
   * The answer to a request that was answered before, found without reading its query. `request` has to say all that the
   * answer depends on: release number, scope class, `Accept`, URL, body.
   */
  find(request: string): CachedAnswer | undefined {
    const etag = this.#requests.get(request);
    return etag === undefined ? undefined : this.#answers.get(etag);
  }

  /** Lets `find` know which answer a request has. */
  remember(request: string, etag: string): void {
    if (request.length <= MAX_REQUEST_CHARACTERS) this.#requests.set(request, etag);
  }
}
