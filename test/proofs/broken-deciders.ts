import { accountDecider, type AccountCommand } from '../../src/domain/account/decide.ts';
import type { AccountEvent } from '../../src/domain/account/events.ts';
import { accept } from '../../src/domain/decider.ts';
import { noUsage } from '../../src/domain/money.ts';

type Decider = typeof accountDecider;

/** Each breaks one promise, by a wrapper around the decider, which is whole. */
export const brokenDeciders: Readonly<Record<string, Decider>> = {
  'a reservation that exceeds the balance by up to three nano-dollars': {
    ...accountDecider,
    decide: (command, account) => {
      const decision = accountDecider.decide(command, account);
      const { needed = 0n, available = 0n } = (decision.kind === 'refused' && decision.refusal.funds) || {};
      if (command.type !== 'ReserveCredits' || needed > available + 3n) return decision;
      const { requestId, amount, keyId, runId, price, request, at } = command;
      return accept({ type: 'CreditsReserved', requestId, amount, keyId, runId, price, request, at });
    },
  },
  'a hold that can be settled twice': {
    ...accountDecider,
    evolve: (account, event) => {
      const hold = event.type === 'HoldSettled' ? account.wallet.holds.get(event.requestId) : undefined;
      const next = accountDecider.evolve(account, event);
      if (!hold || event.type !== 'HoldSettled') return next;
      const holds = new Map(next.wallet.holds).set(event.requestId, hold);
      return { ...next, wallet: { ...next.wallet, holds } };
    },
  },
  'a lot that pays before an older one': {
    ...accountDecider,
    decide: (command, account) => {
      const lots = new Map([...account.wallet.lots].reverse());
      return accountDecider.decide(command, { ...account, wallet: { ...account.wallet, lots } });
    },
  },
  'a suspension that does not stop new holds': {
    ...accountDecider,
    decide: (command, account) => {
      const { standing } = account;
      const lenient = command.type === 'ReserveCredits' && standing.status === 'suspended';
      return accountDecider.decide(command, {
        ...account,
        standing: lenient ? { ...standing, status: 'active' } : standing,
      });
    },
  },
  'a limit by the minute that does not count the steps of a stream': {
    ...accountDecider,
    evolve: (account, event) =>
      accountDecider.evolve(account, event.type === 'HoldExtended' ? { ...event, tokens: 0 } : event),
  },
  'a closed account that keeps its promotional credits': {
    ...accountDecider,
    decide: (command, account) => {
      const decision = accountDecider.decide(command, account);
      if (decision.kind === 'refused') return decision;
      return accept(...decision.events.filter(({ type }) => type !== 'LotExpired'));
    },
  },
  'a closing that takes what a hold still needs': {
    ...accountDecider,
    decide: (command, account) => {
      if (command.type !== 'CloseAccount') return accountDecider.decide(command, account);
      return accountDecider.decide(command, { ...account, wallet: { ...account.wallet, held: 0n } });
    },
  },
  'a promotional lot that loses one nano-dollar too little': {
    ...accountDecider,
    decide: (command, account) => {
      const decision = accountDecider.decide(command, account);
      if (decision.kind === 'refused') return decision;
      return accept(
        ...decision.events.map((event) =>
          event.type === 'LotExpired' && event.amount > 1n ? { ...event, amount: event.amount - 1n } : event,
        ),
      );
    },
  },
  'a closed account that holds credits': {
    ...accountDecider,
    decide: (command, account) => {
      const { standing, keys } = account;
      if (command.type !== 'ReserveCredits' || standing.status !== 'closed') {
        return accountDecider.decide(command, account);
      }
      const live = new Map([...keys].map(([keyId, key]) => [keyId, { ...key, revoked: false }]));
      return accountDecider.decide(command, { ...account, standing: { ...standing, status: 'active' }, keys: live });
    },
  },
  'a cost beyond the hold and the balance that nobody writes off': {
    ...accountDecider,
    decide: (command, account) => {
      const decision = accountDecider.decide(command, account);
      if (decision.kind === 'refused') return decision;
      return accept(...decision.events.filter(({ type }) => type !== 'UsageWrittenOff'));
    },
  },
  'usage beyond the bounds of a request that nobody writes off': {
    ...accountDecider,
    decide: (command, account) =>
      accountDecider.decide('beyond' in command ? { ...command, beyond: noUsage } : command, account),
  },

  'a refund that takes one nano-dollar too little': changing((event) =>
    event.type === 'CreditsRefunded' && event.amount > 1n ? { ...event, amount: event.amount - 1n } : event,
  ),
  'a refund that does not wait for open holds': changing((event) =>
    event.type === 'CreditsRefunded' ? { ...event, awaited: 0n } : event,
  ),
  'a marked lot that keeps what a hold gives back': without(
    ['SettleHold', 'ReleaseHold'],
    ['CreditsRefunded', 'CreditsChargedBack', 'LotFrozen', 'LotExpired', 'DebtIncurred', 'AccountSuspended'],
  ),
  'a frozen lot that keeps what a hold gives back': without(['SettleHold', 'ReleaseHold'], ['LotFrozen']),
  'a debt that does not suspend': without(
    ['RecordRefund', 'RecordChargeback', 'SettleHold', 'ReleaseHold'],
    ['AccountSuspended'],
  ),
  'a payment that repays nothing': without(['TopUp'], ['DebtRepaid', 'AccountReinstated']),
  'a chargeback without a debt': without(['RecordChargeback'], ['DebtIncurred', 'AccountSuspended']),
  'a reversal that begins with the first lot': {
    ...accountDecider,
    decide: (command, account) =>
      accountDecider.decide(
        command.type === 'ReverseCharge' ? { ...command, drawn: command.drawn.toReversed() } : command,
        account,
      ),
  },
  'a request that is paid by a lot that has ended': {
    ...accountDecider,
    decide: (command, account) =>
      accountDecider.decide(command, {
        ...account,
        wallet: command.type === 'ReserveCredits' ? { ...account.wallet, nextEnd: null } : account.wallet,
      }),
  },

  'a termination that forfeits nothing though it was asked to': without(['RecordViolation'], ['CreditsForfeited']),
  'a violation that does not suspend': without(['RecordViolation'], ['AccountSuspended']),
  'a forfeiture without a termination': {
    ...accountDecider,
    decide: (command, account) => {
      if (command.type !== 'ForfeitCredits') return accountDecider.decide(command, account);
      const termination = { violationId: 'vio_none', forfeited: true, owners: [] };
      return accountDecider.decide(command, { ...account, conduct: { ...account.conduct, termination } });
    },
  },
  'a closing that waives nothing though it was asked to': without(['CloseAccount'], ['CreditsWaived']),
  'terms that are accepted after the hold': {
    ...accountDecider,
    decide: (command, account) => {
      const decision = accountDecider.decide(command, account);
      if (decision.kind === 'refused' || command.type !== 'ReserveCredits') return decision;
      const [first, ...others] = decision.events;
      return first?.type === 'TermsAccepted' ? accept(...others, first) : decision;
    },
  },
  'a use that accepts the same terms twice': boundTo((inForce, accepted) => inForce === accepted),
  'a use that binds to older terms': boundTo((inForce, accepted) => inForce < accepted),
  'a use that binds though the notice failed and acceptance must be explicit': {
    ...accountDecider,
    decide: (command, account) =>
      accountDecider.decide(
        command.type === 'ReserveCredits' && command.terms
          ? { ...command, terms: { ...command.terms, explicit: false } }
          : command,
        account,
      ),
  },
};

/** Decides as if the account had accepted other terms. */
function boundTo(isWrong: (inForce: string, accepted: string) => boolean): Decider {
  return {
    ...accountDecider,
    decide: (command, account) => {
      const { termsVersion } = account.standing;
      const inForce = command.type === 'ReserveCredits' ? command.terms?.version : undefined;
      if (inForce === undefined || termsVersion === null || !isWrong(inForce, termsVersion)) {
        return accountDecider.decide(command, account);
      }
      return accountDecider.decide(command, { ...account, standing: { ...account.standing, termsVersion: '' } });
    },
  };
}

/** Writes other events than were decided. */
function changing(change: (event: AccountEvent) => AccountEvent): Decider {
  return {
    ...accountDecider,
    decide: (command, account) => {
      const decision = accountDecider.decide(command, account);
      return decision.kind === 'refused' ? decision : accept(...decision.events.map(change));
    },
  };
}

/** Some commands forget events of these types after their first event. */
function without(commands: readonly AccountCommand['type'][], types: readonly AccountEvent['type'][]): Decider {
  return {
    ...accountDecider,
    decide: (command, account) => {
      const decision = accountDecider.decide(command, account);
      if (decision.kind === 'refused' || !commands.includes(command.type)) return decision;
      return accept(...decision.events.filter(({ type }, n) => n === 0 || !types.includes(type)));
    },
  };
}
