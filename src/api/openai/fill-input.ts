import { isMedia, isRequired, toMediaCaps, USER_MESSAGE, type MediaType, type Parameter } from '#resources/index.ts';
import { refuse, type Asked, type Contract, type Given, type Said, type SaidFile } from './asked.ts';
import { toKind } from './read-content.ts';

/**
 * The input of a call: what the request names, what the user says as the message or the only text, and the files of the
 * message where one parameter takes such. What would reach no parameter is refused. Throws a Problem.
 */
export function fillInput(asked: Asked, contract: Contract): Record<string, unknown> {
  const input = new Map<string, unknown>();
  const fill = ({ name, value, path }: Given): void => {
    if (input.has(name)) {
      throw refuse(path, `\`${name.slice(0, 60)}\` is given twice. Send it once.`);
    }
    input.set(name, value);
  };
  asked.given.forEach(fill);
  const { text, path } = asked.said;
  if (text !== '') {
    fill({ name: chooseText(asked, contract), value: text, path });
  }
  for (const file of asked.said.files) {
    fill({ name: chooseFile(file, contract, input), value: file.value, path: file.path });
  }
  return Object.fromEntries(input);
}

/** `user_message`; else the only text, the only one that is needed, or the only needed one that is not named. */
function chooseText({ given, said }: { given: readonly Given[]; said: Said }, contract: Contract): string {
  if (contract.takesUserMessage) {
    return USER_MESSAGE;
  }
  const texts = contract.parameters.filter(({ type }) => type === 'string');
  const needed = texts.filter(isRequired);
  const named = new Set(given.map(({ name }) => name));
  const open = needed.filter(({ name }) => !named.has(name));
  const [found] = [texts, needed, open].flatMap((some) => (some.length === 1 ? some : []));
  if (found) {
    return found.name;
  }
  throw refuse(
    said.path,
    texts.length === 0
      ? 'This resource takes no text: send its parameters by their names in "metadata", and a message without text.'
      : `The message could be any of the texts ${list(texts)}: name all but one of them in "metadata", or send them by name and a message without text.`,
  );
}

function chooseFile({ kind, path }: SaidFile, { parameters }: Contract, input: ReadonlyMap<string, unknown>): string {
  const exact = parameters.filter(({ type }) => type === kind);
  const taking = exact.length > 0 ? exact : parameters.filter((parameter) => takes(parameter, kind));
  const open = taking.filter(({ name }) => !input.has(name));
  const [found] = taking.length === 1 ? taking : open.length === 1 ? open : [];
  if (found) {
    return found.name;
  }
  throw refuse(
    path,
    taking.length === 0
      ? `This resource takes no such file${kind === 'file' ? '' : ` (${kind})`}.`
      : `The file could be any of ${list(taking)}: name it in "parameters".`,
  );
}

function takes(parameter: Parameter, kind: MediaType): boolean {
  if (!isMedia(parameter) || (parameter.type !== 'file' && kind !== 'file')) {
    return false;
  }
  return kind === 'file'
    ? parameter.type === 'pdf'
    : toMediaCaps(parameter).contentTypes.some((one) => toKind(one) === kind);
}

function list(parameters: readonly Parameter[]): string {
  return parameters.map(({ name }) => `\`${name}\``).join(', ');
}
