interface Started {
  version: string;
  isSandbox: boolean;
  publicUrl: string;
  /** Settings by which a command finds this server, where they are not the defaults: `PORT=4030 `. */
  place: string;
  seconds: string;
}

/** What whoever started a server reads once it is ready: where it is and what to try first. */
export function describeStart({ version, isSandbox, publicUrl, place, seconds }: Started): string {
  const sandbox = [
    '  Sandbox: local chain, test USDC and a simulated OpenRouter. Nothing here is real money.',
    '',
    `  Look around       ${publicUrl}`,
    `  First paid call   ${place}npm run demo   (in another terminal)`,
    `  By hand           curl -i -X POST ${publicUrl}/@demo/haiku`,
    '  Stop              Ctrl-C; what was published and paid is kept in DATA_DIR',
  ];
  return ['', `Farebox ${version} is ready at ${publicUrl} (${seconds} s).`, ...(isSandbox ? sandbox : []), ''].join(
    '\n',
  );
}
