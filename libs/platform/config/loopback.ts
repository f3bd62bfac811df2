/** Whether a host name or address, an IPv6 one without brackets, is this machine's own and reached by nobody else. */
export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127(\.\d{1,3}){3}$/.test(host);
}
