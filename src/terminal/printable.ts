/** Text of a file must not steer a terminal. */
export function printable(text: string): string {
  // eslint-disable-next-line no-control-regex -- these are what it takes out
  return text.replace(/[\u0000-\u001f\u007f-\u009f]+/g, ' ');
}
