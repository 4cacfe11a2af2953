/** What ended a command, for whoever typed it: our own words as they are, bugs with their stack. */
export function explainFailure(error: unknown): string {
  if (!(error instanceof Error)) {
    return String(error);
  }
  const { code, port, path } = error as NodeJS.ErrnoException & { port?: number };
  if (code === 'EADDRINUSE') {
    return `Port ${port ?? 'unknown'} is in use. Stop what listens there, or choose another: PORT=4030 npm start`;
  }
  if ((code === 'EACCES' || code === 'EROFS') && path !== undefined) {
    return `${path} cannot be written. Choose another folder with DATA_DIR.`;
  }
  if (error instanceof TypeError || error instanceof RangeError) {
    return error.stack ?? error.message;
  }
  return code === undefined ? error.message : `${error.message || code}\n"npm run doctor" says what cannot be reached.`;
}
