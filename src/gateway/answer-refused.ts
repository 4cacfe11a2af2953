import { findUse, isAuthentic, matchOffer, reasonsOf, type Use } from '#payments/index.ts';
import { answerHeld, isSameRequest } from './answer-held.ts';
import { adoptEnded } from './adopt-transfers.ts';
import type { CallOutcome } from './call-request.ts';
import { usedBefore, withoutCharge } from './charge-told.ts';
import { findHolder } from './claim.ts';
import type { Paying } from './claim-call.ts';
import type { GatewayDeps } from './gateway-deps.ts';
import { listReleased, type ReleasedCall } from './list-released.ts';
import { payableOffers } from './offer-version.ts';
import { ownSince } from './own-use.ts';
import { readGivenInput } from './read-given-input.ts';
import { takeLook } from './take-look.ts';
import { toClient } from './to-client.ts';

/**
 * For a payment that could not begin a new call: what it bought before, or may have bought since its call failed. Otherwise
 * the refusal, which says that nothing was charged only where the chain was asked.
 */
export async function answerRefused(deps: GatewayDeps, asked: Paying, refused: CallOutcome): Promise<CallOutcome> {
  // A resource that takes no calls any more has not read it.
  const paying = { ...asked, input: asked.input ?? readGivenInput(asked.request, asked.version) };
  const held = await findHolder(deps.database.system, paying.payment);
  if (held && isSameRequest(held, paying)) {
    return answerHeld(deps, held, paying);
  }
  if (!deniesCharge(deps, paying, refused)) {
    return refused;
  }
  if (held && refused.kind === 'problem') {
    // Another request may be charging it this moment.
    return withoutCharge(refused);
  }
  const released = await listReleased(deps, paying.payment);
  const own = released.find(({ fingerprint }) => fingerprint === paying.fingerprint);
  return own ? answerReleased(deps, paying, { refused, own }) : tellCharge(deps, paying, refused);
}

/** A challenge, or words that say so. Other refusals of a payment come from the chain itself. */
function deniesCharge(deps: GatewayDeps, { payment }: Paying, refused: CallOutcome): boolean {
  return refused.kind === 'challenge'
    ? refused.reason === reasonsOf(deps.payments, payment).expiresTooSoon
    : refused.kind === 'problem' && refused.charged === false;
}

async function answerReleased(
  deps: GatewayDeps,
  paying: Paying,
  { refused, own }: { refused: CallOutcome; own: ReleasedCall },
): Promise<CallOutcome> {
  const wanted = await takeLook(deps, own.id);
  if (!wanted) {
    return withoutCharge(refused);
  }
  const use = await findUse(deps.payments, paying.payment, wanted);
  if (use.status === 'settled' && (await adoptEnded(deps, own.id, use.transaction))) {
    return answerHeld(deps, own, paying);
  }
  return tell(refused, use, reasonsOf(deps.payments, paying.payment).alreadyUsed);
}

/** Where no call is known the chain is asked as often as about payments that nobody's key signed, counted apart. */
async function tellCharge(deps: GatewayDeps, paying: Paying, refused: CallOutcome): Promise<CallOutcome> {
  const { payment, version, request, input } = paying;
  const offer = matchOffer(deps.payments, payment, payableOffers(deps, version, input));
  if (!offer || !isAuthentic(deps.payments, payment, offer)) {
    return withoutCharge(refused);
  }
  const taken = await deps.lookUps.take(`${toClient(request.clientAddress)} refused`);
  if (!taken.isAllowed) {
    return withoutCharge(refused);
  }
  const use = await findUse(deps.payments, payment, { offer, since: ownSince({ payment, offer }) });
  return tell(refused, use, reasonsOf(deps.payments, payment).alreadyUsed);
}

function tell(refused: CallOutcome, use: Use, alreadyUsed: string): CallOutcome {
  switch (use.status) {
    case 'unused':
    case 'spent':
      return refused;
    case 'settled':
      return usedBefore(refused, { transaction: use.transaction, reason: alreadyUsed });
    default:
      return withoutCharge(refused);
  }
}
