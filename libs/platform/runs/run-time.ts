const RUN_ID = /^(\d{4})(\d\d)(\d\d)t(\d\d)(\d\d)(\d\d)-[0-9a-f]{8}$/;

export function isRunId(text: string): boolean {
  return RUN_ID.test(text);
}

/** Run ids begin with the second in which they were made. */
export function startOfRunMs(runId: string): number {
  return Date.parse(runId.replace(RUN_ID, '$1-$2-$3T$4:$5:$6Z'));
}
