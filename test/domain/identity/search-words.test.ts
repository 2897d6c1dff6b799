import { describe, expect, it } from 'vitest';
import { searchWords } from '../../../src/domain/identity/search-words.ts';

describe('the words of a name', () => {
  it.each([
    ['Ada Lovelace', ['ada', 'lovelace']],
    ['ADA  lovelace, Ada', ['ada', 'lovelace']],
    ['José Núñez', ['jose', 'nunez']],
    ['Jose\u0301', ['jose']],
    ['Ｊｅａｎ-Luc O’Brien', ['jean', 'luc', 'brien']],
    ['Straße STRASSE', ['strasse']],
    ['Łukasz Ørsted Æsir', ['lukasz', 'orsted', 'aesir']],
    ['İstanbul ıstanbul', ['istanbul']],
    ['ΟΔΟΣ οδος', [expect.any(String)]],
    ['王伟 X', ['王伟']],
    ['Example GmbH & Co. 24/7', ['example', 'gmbh', 'co', '24']],
    ['- ! ?', []],
  ])('of %j are %j', (name, words) => expect(searchWords(name)).toEqual(words));

  it('are at most 50', () => {
    const name = Array.from({ length: 60 }, (_, n) => `word${n}`).join(' ');
    expect(searchWords(name)).toHaveLength(50);
  });
});
