import { describe, expect, it } from 'vitest';
import { createHistorySeen, NOTHING_SEEN } from '../../src/eventstore/history-seen.ts';

const place = (position: number, hash: string) => ({ position, hash });

describe('what a process has seen of the log', () => {
  it('begins with the newest place that an earlier process had seen, which the log must still have', () => {
    const seen = createHistorySeen(place(9, 'a'));
    expect([seen.newest, seen.places]).toEqual([place(9, 'a'), [place(9, 'a')]]);
    expect(createHistorySeen().places).toEqual([]);
  });

  it('keeps an older place until the log was found to have it and the newer one', () => {
    const seen = createHistorySeen(place(9, 'a'));
    seen.saw(place(12, 'b'));
    seen.saw(place(11, 'c'));
    expect(seen.places).toEqual([place(9, 'a'), place(12, 'b')]);
    seen.compared(seen.places, place(13, 'd'));
    expect(seen.places).toEqual([place(13, 'd')]);
  });

  it('keeps what it sees while it compares', () => {
    const seen = createHistorySeen(place(9, 'a'));
    const { places } = seen;
    seen.saw(place(12, 'b'));
    seen.compared(places, place(10, 'e'));
    expect(seen.places).toEqual([place(10, 'e'), place(12, 'b')]);
  });

  it('replaces a place only by a newer one of the same moment', () => {
    const seen = createHistorySeen(place(9, 'a'));
    seen.saw(place(10, 'b'), seen.newest);
    expect(seen.places).toEqual([place(10, 'b')]);
  });

  it('is nothing once it was forgotten', () => {
    const seen = createHistorySeen(place(9, 'a'));
    seen.forget();
    expect([seen.newest, seen.places]).toEqual([NOTHING_SEEN, []]);
  });
});
