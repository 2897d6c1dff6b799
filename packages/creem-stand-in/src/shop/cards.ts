type Card = {
  readonly number: string;
  readonly label: string;
  /** Undefined if the card pays. */
  readonly decline: { readonly code: string; readonly message: string } | undefined;
};

const declined = (number: string, label: string, code: string, message: string): Card => ({
  number,
  label,
  decline: { code, message },
});

/** The test cards of Creem. */
export const TEST_CARDS: readonly Card[] = [
  { number: '4242424242424242', label: 'pays', decline: undefined },
  declined('4000000000000002', 'is declined', 'card_declined', 'Your card was declined.'),
  declined('4000000000009995', 'has no funds', 'insufficient_funds', 'Your card has insufficient funds.'),
  declined('4000000000000127', 'has a wrong security code', 'incorrect_cvc', 'Your card’s security code is incorrect.'),
  declined('4000000000000069', 'has expired', 'expired_card', 'Your card has expired.'),
];

/** Every number that is not that of a test card is declined, so that a real card cannot be used. Spaces are ignored. */
export const cardOf = (number: string): Card => {
  const plain = number.replace(/[\s-]/g, '');
  return (
    TEST_CARDS.find((card) => card.number === plain) ??
    declined(
      plain,
      'is not a test card',
      'not_a_test_card',
      'This page accepts only the test cards. Never enter a real one.',
    )
  );
};

export const grouped = (number: string): string => number.replace(/(\d{4})(?=\d)/g, '$1 ');
