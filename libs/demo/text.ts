const twoDigits = Array.from({ length: 100 }, (_, n) => String(n).padStart(2, '0'));

export const pad2 = (n: number): string => twoDigits[n] as string;

/** Whole cents as a decimal with two places. */
export const money = (cents: number): string => `${Math.floor(cents / 100)}.${pad2(cents % 100)}`;

/** Identifiers of fixed width sort as text the way they count. */
const digits = (n: number, width: number): string => String(10 ** width + n).slice(1);
export const orderId = (index: number): string => `ORD-${digits(index + 1, 9)}`;
export const itemId = (index: number): string => `ITEM-${digits(index + 1, 9)}`;
export const customerId = (index: number): string => `CUST-${digits(index + 1, 8)}`;
export const productId = (index: number): string => `PROD-${digits(index + 1, 6)}`;
export const transactionId = (index: number): string => `TXN-${digits(index + 1, 9)}`;
export const eventId = (index: number): string => `EVT-${digits(index + 1, 9)}`;
export const sessionId = (index: number): string => `SESS-${digits(index + 1, 9)}`;

/** `HH:MM:SS` of a second of the day. */
export function clock(second: number): string {
  return `${pad2(Math.floor(second / 3600))}:${pad2(Math.floor(second / 60) % 60)}:${pad2(second % 60)}`;
}
