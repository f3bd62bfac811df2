/** Whether a process of that id runs here: files and folders that carry the id of one that does not were left behind. */
export function isProcessRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // it runs under another user
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
