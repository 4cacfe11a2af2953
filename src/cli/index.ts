/** Commands. They print, and know no rules: what they do is done by the server or by functions that main passes. */
export { checkPort, checkPostgresPort } from './check-port.ts';
export type { NeededPort } from './check-port.ts';
export { checkServer } from './check-server.ts';
export { describeStart } from './describe-start.ts';
export { explainFailure } from './explain-failure.ts';
export { checkFolder, makeFolder } from './make-folder.ts';
export { runCommand } from './run-command.ts';
export type { CommandPorts } from './run-command.ts';
export type { Check, Finding } from './doctor.ts';
export { toLogText } from './to-log-text.ts';
