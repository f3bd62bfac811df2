import type { Socket } from 'node:net';
import { problemTypes } from './problem-type.js';
import { requestIdOf } from './request-id.js';

/** Answers what Node could not read as HTTP, so that no hook or filter ever sees it. */
export function answerUnreadable(error: NodeJS.ErrnoException, socket: Socket): void {
  if (error.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy();
    return;
  }
  const code = error.code === 'HPE_HEADER_OVERFLOW' ? 'request-headers-too-large' : 'request-unreadable';
  const { status = 400, title = '', description = '' } = problemTypes[code] ?? {};
  const request_id = requestIdOf({ headers: {} });
  const body = JSON.stringify({ type: `/problems/${code}`, title, status, detail: description, code, request_id });
  socket.end(
    [
      `HTTP/1.1 ${status} ${title}`,
      'Content-Type: application/problem+json; charset=utf-8',
      `Content-Length: ${Buffer.byteLength(body)}`,
      'Connection: close',
      '',
      body,
    ].join('\r\n'),
  );
}
